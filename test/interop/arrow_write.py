"""Arrow data as pyarrow writes it, in types and layouts that other clients have no habit of, for Skein to take.

usage: arrow_write.py FILE    writes an IPC stream there; prints the column names with DuckDB's text of each value, as JSON
"""
import datetime
import decimal
import json
import sys
import uuid

import pyarrow as pa

T = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
U = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
LONG = "a text that is longer than twelve bytes"

COLUMNS = {
    "large_text": (pa.array(["a", None, LONG, ""], pa.large_string()), ["a", None, LONG, ""]),
    "large_bytes": (pa.array([b"ab", None, b"\x00\xff", b""], pa.large_binary()), ["ab", None, "\\x00\\xFF", ""]),
    "large_list": (pa.array([[1, None], None, [], [3]], pa.large_list(pa.int32())), ["[1, NULL]", None, "[]", "[3]"]),
    "text_views": (pa.array(["of twelve by", None, LONG, ""], pa.string_view()), ["of twelve by", None, LONG, ""]),
    "byte_views": (pa.array([b"ab", None, LONG.encode(), b"\xff"], pa.binary_view()), ["ab", None, LONG, "\\xFF"]),
    "view_list": (pa.array([[LONG, None], None, [], ["x"]], pa.list_(pa.string_view())),
                  ["[%s, NULL]" % LONG, None, "[]", "[x]"]),
    "view_struct": (pa.array([{"a": LONG}, None, {"a": None}, {"a": "x"}], pa.struct({"a": pa.string_view()})),
                    ["{'a': %s}" % LONG, None, "{'a': NULL}", "{'a': x}"]),
    "view_map": (pa.array([[(LONG, "x")], None, [], [("k", LONG)]], pa.map_(pa.string_view(), pa.string_view())),
                 ["{%s=x}" % LONG, None, "{}", "{k=%s}" % LONG]),
    "small_dictionary": (pa.array([LONG, "b", None, LONG]).dictionary_encode(), [LONG, "b", None, LONG]),
    "wide_dictionary": (pa.DictionaryArray.from_arrays(pa.array([1, 0, 1, None], pa.uint32()), pa.array([None, "x"])),
                        ["x", None, "x", None]),
    "dictionary_list": (pa.array([["p", "q"], None, ["p"], [None]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
                        ["[p, q]", None, "[p]", "[NULL]"]),
    "dates": (pa.array([datetime.date(1969, 12, 31), None, T.date(), T.date()], pa.date64()),
              ["1969-12-31", None, "2024-02-29", "2024-02-29"]),
    "seconds": (pa.array([0, None, 86399, 61], pa.time32("s")), ["00:00:00", None, "23:59:59", "00:01:01"]),
    "nanos": (pa.array([0, None, 1, 10**9], pa.time64("ns")), ["00:00:00", None, "00:00:00.000000001", "00:00:01"]),
    "zoned_ns": (pa.array([T, None, T, T], pa.timestamp("ns", tz="Europe/Paris")),
                 ["2024-02-29 12:30:15.123456+00", None] + 2 * ["2024-02-29 12:30:15.123456+00"]),
    "zoned_s": (pa.array([0, None, -1, 10**9], pa.timestamp("s", tz="UTC")),
                ["1970-01-01 00:00:00+00", None, "1969-12-31 23:59:59+00", "2001-09-09 01:46:40+00"]),
    "plain_ns": (pa.array([1, None, -1, 0], pa.timestamp("ns")),
                 ["1970-01-01 00:00:00.000000001", None, "1969-12-31 23:59:59.999999999", "1970-01-01 00:00:00"]),
    "durations": (pa.array([1500, None, -1, 0], pa.duration("ms")), ["00:00:01.5", None, "-00:00:00.001", "00:00:00"]),
    "intervals": (pa.array([(14, 3, 1000), None, (0, 0, 0), (-1, 0, 0)], pa.month_day_nano_interval()),
                  ["1 year 2 months 3 days 00:00:00.000001", None, "00:00:00", "-1 month"]),
    "fixed_bytes": (pa.array([b"abc", None, b"xyz", b"123"], pa.binary(3)), ["abc", None, "xyz", "123"]),
    "uuids": (pa.array([U.bytes, None, b"\xff" * 16, bytes(16)], pa.uuid()),
              [str(U), None, "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000"]),
    "maps": (pa.array([[("k", 1), ("l", None)], None, [], [(LONG, 2)]], pa.map_(pa.string(), pa.int64())),
             ["{k=1, l=NULL}", None, "{}", "{%s=2}" % LONG]),
    "arrays": (pa.array([[1.5, None], None, [0.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2)),
               ["[1.5, NULL]", None, "[0.0, 2.0]", "[3.0, 4.0]"]),
    "structs": (pa.array([{"a": 1, "b": [LONG]}, None, {"a": None, "b": None}, {"a": 2, "b": []}],
                         pa.struct({"a": pa.uint8(), "b": pa.list_(pa.string())})),
                ["{'a': 1, 'b': [%s]}" % LONG, None, "{'a': NULL, 'b': NULL}", "{'a': 2, 'b': []}"]),
    "decimals": (pa.array([decimal.Decimal("-1.25"), None, decimal.Decimal("9" * 36 + ".99"), decimal.Decimal("0")],
                          pa.decimal128(38, 2)), ["-1.25", None, "9" * 36 + ".99", "0.00"]),
    "nothing": (pa.nulls(4), [None] * 4),
    "flags": (pa.array([True, None, False, True]), ["true", None, "false", "true"]),
}


def main(path):
    table = pa.table({name: array for name, (array, _) in COLUMNS.items()})
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch)
            writer.write_batch(batch.slice(0, 0))
            writer.write_batch(batch.slice(1, 3))  # bitmaps and offsets that begin in the middle
    print(json.dumps({name: texts + texts[1:] for name, (_, texts) in COLUMNS.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:2])
