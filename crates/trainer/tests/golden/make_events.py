"""Makes `events.out.tfevents.convbase` with TensorBoard's own messages and its own writer of records.

    python -m pip install tensorboard==2.21.0
    python crates/trainer/tests/golden/make_events.py
"""

from pathlib import Path

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

# The epochs of the test in `src/event_file/tests.rs`.
EPOCHS = [
    {"loss": 0.693, "accuracy": 0.5, "val_loss": 0.7, "val_accuracy": 0.0},
    {"loss": 1e-7, "accuracy": 1.0, "val_loss": 123_456.789, "val_accuracy": 0.9583},
]


def main():
    path = Path(__file__).with_name("events.out.tfevents.convbase")
    events = [event_pb2.Event(file_version="brain.Event:2")]
    for epoch, figures in enumerate(EPOCHS, start=1):
        values = [summary_pb2.Summary.Value(tag=tag, simple_value=number) for tag, number in figures.items()]
        events.append(event_pb2.Event(wall_time=epoch, step=epoch, summary=summary_pb2.Summary(value=values)))
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString(deterministic=True))
        writer.flush()
    print(f"{path}: {len(events)} records, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
