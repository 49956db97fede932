"""Writes the Parquet files beside it, with pyarrow: types that conversations meet in the wild."""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent


def messages(content, weight=None, contents=("q", "BAD", "q", "good"), weights=None):
    fields = [("role", pa.string()), ("content", content)] + ([("weight", weight)] if weight else [])
    rows = []
    for index, text in enumerate(contents):
        row = {"role": ["user", "assistant"][index % 2], "content": text}
        if weight:
            row["weight"] = weights[index]
        rows.append(row)
    return pa.array([rows], pa.list_(pa.struct(fields)))


def write(name, array):
    pq.write_table(pa.table({"messages": array}), here / f"{name}.parquet")


zero, one = decimal.Decimal("0.00"), decimal.Decimal("1.00")
write("decimal", messages(pa.string(), pa.decimal128(5, 2), weights=[None, zero, None, one]))
write("binary", messages(pa.binary(), contents=(b"q", b"HELLO")))
write("duration", messages(pa.duration("us"), contents=[datetime.timedelta(days=1)] * 2))
moment = datetime.datetime(2024, 1, 15, 1, 2, 3, 4000)
write("timestamp", messages(pa.timestamp("us"), contents=[moment, moment]))
write("views", messages(pa.string_view(), contents=("q", "view")))
roles = pa.array(["user", "assistant"]).dictionary_encode()
content = pa.array(["q", "dictionary"]).dictionary_encode()
struct = pa.StructArray.from_arrays([roles, content], names=["role", "content"])
write("dictionary", pa.ListArray.from_arrays(pa.array([0, 2], pa.int32()), struct))
tools = pa.array(['[{"type": "function", "function": {"name": "f", "default": 1.0}}]'], pa.string())
table = {"messages": messages(pa.string(), contents=("q", "yes")), "tools": tools.cast(pa.json_())}
pq.write_table(pa.table(table), here / "json.parquet")
