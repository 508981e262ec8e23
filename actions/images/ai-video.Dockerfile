# The ai-video flavour: the ai one and ffmpeg, which actions start as a process. Holds no action.
# Built by scripts/build-images.sh, with actions/ as its context. Debian's package serves both bases: both are Debian.
ARG BASE=faassim-python:ai
FROM $BASE
USER root
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ffmpeg && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*
USER 65534:65534
