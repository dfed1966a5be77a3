# docker build -t gtr-bench .
# docker run -v "$PWD/results:/gtr-bench/results" gtr-bench                    the demo
# docker run -v "$PWD/results:/gtr-bench/results" gtr-bench gtr-bench doctor   any other command; on CUDA add --gpus all
#
# TORCH_INDEX says which build of torch goes in, as in the Makefile: the address of PyTorch's CPU wheels makes a small
# image for the CPU, that of its wheels for one CUDA version an image for that; empty takes the usual index's build,
# which on x86_64 Linux carries CUDA and runs on the CPU too.
FROM python:3.11-slim
ARG TORCH_INDEX=

RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential git libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /gtr-bench
COPY . .
ENV PATH=/gtr-bench/.venv/bin:$PATH PIP_NO_CACHE_DIR=1
RUN make install TORCH_INDEX="$TORCH_INDEX" && .venv/bin/pip install -c constraints.txt -e '.[gpu]'

CMD ["make", "demo"]
