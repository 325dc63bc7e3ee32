"""The way from data sets as they are published to the clips that models train on."""
