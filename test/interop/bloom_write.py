"""Writes a Parquet file with Bloom filters for every type that has them: the numbers 4n + g below 4000 in row group g.

Arguments: the file to write, rows of a row group, row groups.
"""

import datetime
import decimal
import sys

import pyarrow
import pyarrow.parquet

path, group_rows, groups = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rows = range(group_rows * groups)
numbers = [4 * (i % 1000) + i // group_rows for i in rows]


def column(value, kind, below=None):
    """Every seventh is NULL."""
    fits = [None if i % 7 == 3 or (below is not None and n >= below) else value(n) for i, n in zip(rows, numbers)]
    return pyarrow.array(fits, kind)


epoch = datetime.datetime(1970, 1, 1)
hours = lambda n: epoch + datetime.timedelta(hours=n)
table = pyarrow.table({
    'i1': column(int, pyarrow.int8(), 128), 'u1': column(int, pyarrow.uint8(), 256),
    'i2': column(int, pyarrow.int16()), 'u2': column(int, pyarrow.uint16()),
    'i4': column(int, pyarrow.int32()), 'u4': column(int, pyarrow.uint32()),
    'i8': column(int, pyarrow.int64()), 'u8': column(int, pyarrow.uint64()),
    'f4': column(lambda n: -0.0 if n == 0 else float('nan') if n == 8 else float(n), pyarrow.float32()),
    'f8': column(lambda n: -0.0 if n == 0 else float('nan') if n == 8 else float(n), pyarrow.float64()),
    'd5': column(decimal.Decimal, pyarrow.decimal128(5, 1)), 'd9': column(decimal.Decimal, pyarrow.decimal128(9, 2)),
    'd18': column(decimal.Decimal, pyarrow.decimal128(18, 3)), 'd38': column(decimal.Decimal, pyarrow.decimal128(38, 4)),
    'v': column(lambda n: f'é{n}', pyarrow.string()),
    'da': column(lambda n: (epoch + datetime.timedelta(days=n)).date(), pyarrow.date32()),
    'ts': column(hours, pyarrow.timestamp('us')), 'tz': column(hours, pyarrow.timestamp('us', 'UTC')),
    'tm': column(hours, pyarrow.timestamp('ms')), 'tn': column(hours, pyarrow.timestamp('ns')),
    'pad': pyarrow.array([f'{i * 2654435761 % 2 ** 32:032x}' for i in rows]),
})
filters = {name: {'ndv': 1000} for name in table.column_names if name != 'pad'}
pyarrow.parquet.write_table(table, path, row_group_size=group_rows, bloom_filter_options=filters)
