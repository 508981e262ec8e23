# The plain flavour: python, its standard library and the runtime server. Holds no action: code comes by POST /init.
# Built by scripts/build-images.sh, with actions/ as its context.
ARG BASE=python:3.12-slim
FROM $BASE
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONIOENCODING=utf-8
COPY runtime/server.py /opt/faassim/server.py
# Python keeps no compiled copy of the file that it is started with; so it is compiled here once.
RUN python3 -c "import py_compile as p; p.compile('/opt/faassim/server.py', '/opt/faassim/server.pyc', doraise=True)"
WORKDIR /tmp
USER 65534:65534
EXPOSE 8080
CMD ["python3", "/opt/faassim/server.pyc", "--label", "faassim"]
