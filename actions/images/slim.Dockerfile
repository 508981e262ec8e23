# The bases of the three flavours on the official python image. Must never hold more than an action of its flavour imports.
ARG PYTHON=3.12-slim
FROM python:${PYTHON} AS plain

FROM plain AS ai
COPY images/requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt && rm /tmp/requirements.txt

FROM ai AS ai-video
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*
