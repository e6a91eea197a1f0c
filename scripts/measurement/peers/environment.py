"""The throw-away Python environment of scripts/bench-peers: what requirements-peers.txt lists."""

import repository
from install.throwaway import Throwaway

FOLDER = repository.TOOLCHAIN / "peers"
PEERS = Throwaway("peers", "scripts/bench-peers", repository.SCRIPTS / "requirements-peers.txt",
                  "TensorFlow, PyTorch, ONNX Runtime, OpenVINO and scikit-learn (1 GB of downloads, 3 GB unpacked)")
