"""Writes the golden file of this folder. Python 3.11, tensorboard 2.21.0, protobuf 7.36.2.

    python golden.py            writes golden.tfevents
    python golden.py FOLDER     shows what TensorBoard makes of the event files in FOLDER
"""
import pathlib
import sys

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

Value = summary_pb2.Summary.Value


def text(tag, s):
    plugin = summary_pb2.SummaryMetadata.PluginData(plugin_name="text")
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])
    tensor = tensor_pb2.TensorProto(dtype="DT_STRING", tensor_shape=shape, string_val=[s.encode()])
    return Value(tag=tag, metadata=summary_pb2.SummaryMetadata(plugin_data=plugin), tensor=tensor)


def events():
    yield event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2")
    yield event_pb2.Event(wall_time=1700000000.25, step=101, session_log=event_pb2.SessionLog(status="START"))
    yield event_pb2.Event(wall_time=1700000001.5, summary=summary_pb2.Summary(value=[Value(tag="train/loss", simple_value=0.75), Value(tag="lr", simple_value=0)]))
    yield event_pb2.Event(wall_time=1700000002.5, step=1 << 40, summary=summary_pb2.Summary(value=[Value(tag="train/loss", simple_value=float("nan"))]))
    yield event_pb2.Event(wall_time=1700000003, step=7, summary=summary_pb2.Summary(value=[text("config", "*Zürich*")]))


if len(sys.argv) == 1:
    with open(pathlib.Path(__file__).parent / "golden.tfevents", "wb") as f:
        w = RecordWriter(f)
        for e in events():
            w.write(e.SerializeToString())
        w.flush()
else:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    a = EventAccumulator(sys.argv[1])
    a.Reload()
    for tag in a.Tags()["scalars"]:
        print(tag, [(e.step, e.value) for e in a.Scalars(tag)])
    for tag in a.Tags()["tensors"]:
        print(tag, [(e.step, e.tensor_proto.string_val) for e in a.Tensors(tag)])
