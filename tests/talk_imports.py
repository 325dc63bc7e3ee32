"""What the server of `talk_process` loads once: all that `talk animate` imports. Nothing is computed."""

from __future__ import annotations

import talkcli.app
import talkcli.engine.exports.frames
import talkcli.engine.exports.video
import talkcli.engine.performers.deeptalk
import talkcli.engine.performers.rules
import talkcli.engine.pipelines.animate
import talkcli.engine.render.software  # noqa: F401
