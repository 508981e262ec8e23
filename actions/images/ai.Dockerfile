# The ai flavour: the plain one and what actions calculate with (numpy, Pillow). Holds no action.
# Built by scripts/build-images.sh, with actions/ as its context. PACKAGES tells from where: pip or debian.
ARG BASE=faassim-python:plain
FROM $BASE
ARG PACKAGES=pip
USER root
COPY images/requirements-ai.txt /opt/faassim/requirements-ai.txt
RUN if [ "$PACKAGES" = debian ]; then \
        apt-get update && \
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-numpy python3-pil && \
        rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*; \
    else \
        pip install --no-cache-dir --compile -r /opt/faassim/requirements-ai.txt; \
    fi
USER 65534:65534
