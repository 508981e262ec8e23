# The runtime image of one flavour: our server on a base that has python and the flavour's libraries. Must never hold an
# action: code comes by /init.
ARG BASE
FROM ${BASE}
COPY runtime/server.py /faassim/server.py
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONIOENCODING=utf-8
# Actions write temporary files only, so they need no rights and no home.
USER 65534:65534
WORKDIR /tmp
EXPOSE 8080
# -I: nothing but the standard library and installed packages is found. exec form: the server is process 1.
CMD ["python3", "-I", "/faassim/server.py"]
