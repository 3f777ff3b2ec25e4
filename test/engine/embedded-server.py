"""llama.cpp's own server, as xllamacpp brings it, with one model: FILE THREADS CONTEXT. Ends with its standard input."""

import json
import os
import sys

# The server writes to standard output; that is for this program's own line.
own = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import xllamacpp

path, threads, context = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
params = xllamacpp.CommonParams()
params.model.path = path
params.n_ctx = context
params.n_parallel = 1
params.cpuparams.n_threads = threads
params.cpuparams_batch.n_threads = threads
server = xllamacpp.Server(params)
print(json.dumps({"address": server.listening_address}), file=own, flush=True)
sys.stdin.read()
os._exit(0)
