"""Heads as rigs: what programs that know only linear targets and turning joints can show of them."""
