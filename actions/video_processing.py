"""Draws a short clip, encodes it, decodes it, turns its frames grey and encodes them again, with ffmpeg. Strains
processors, memory and disk.

Owns its clip, in a temporary folder that it removes. Must never keep a file.
"""

import os
import shutil
import subprocess
import tempfile

if shutil.which("ffmpeg") is None:
    raise ImportError("video_processing needs ffmpeg; use the image faassim-python:ai-video")


def ffmpeg(*words):
    """Runs it; its last words are the error if it fails."""
    done = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-threads", "1", *words],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"ffmpeg failed: {done.stderr.strip().splitlines()[-1:] or done.returncode}")


def main(args):
    frames, size = args.get("frames", 25), args.get("size", 160)
    for name, value, most in [("frames", frames, 1_000), ("size", size, 1_920)]:
        if not isinstance(value, int) or not 16 <= value <= most:
            raise ValueError(f"{name} must be a whole number from 16 to {most}, not {value!r}")
    size -= size % 2
    with tempfile.TemporaryDirectory(prefix="video-") as folder:
        clip, grey = os.path.join(folder, "clip.avi"), os.path.join(folder, "grey.avi")
        ffmpeg("-f", "lavfi", "-i", f"testsrc=size={size}x{size}:rate=25", "-frames:v", str(frames),
               "-c:v", "mjpeg", clip)
        ffmpeg("-i", clip, "-vf", "format=gray", "-c:v", "mpeg4", grey)
        return {"frames": frames, "clip_bytes": os.path.getsize(clip), "grey_bytes": os.path.getsize(grey)}
