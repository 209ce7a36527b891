"""Every type through pyarrow.flight: full validation, and each value compared with the text that SQL gives of it.

usage: arrow_types.py HOST:PORT VALUES_SQL TEXTS_SQL CODECS    the second statement gives the canonical texts of the
first's rows; CODECS: of record batches, with commas
Prints one line `ok ...` for each thing that works, and ends with status 1 at the first that does not.
"""
import json
import sys

import pyarrow as pa
import pyarrow.flight as flight

from messages import field, packed


def read(client, options, sql):
    command = packed("CommandStatementQuery", field(1, sql))
    info = client.get_flight_info(flight.FlightDescriptor.for_command(command), options)
    table = client.do_get(info.endpoints[0].ticket, options).read_all()
    if not table.schema.equals(info.schema):
        sys.exit("not ok the schema differs before and after")
    return table


def number(array):
    """The numbers behind dates and times, infinities too."""
    return array.view(pa.int32() if pa.types.is_date32(array.type) else pa.int64()).to_pylist()


def values(array):
    """As plain Python: numbers, texts, lists, dictionaries."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return values(array.storage)
    if pa.types.is_dictionary(kind):
        return values(array.cast(kind.value_type))
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return number(array)
    if pa.types.is_decimal(kind):
        return [None if value is None else str(int(value.scaleb(kind.scale))) for value in array.to_pylist()]
    if pa.types.is_interval(kind):
        return [None if value is None else f"{value.months}/{value.days}/{value.nanoseconds}" for value in array.to_pylist()]
    if pa.types.is_fixed_size_binary(kind):
        hexes = [None if value is None else value.hex() for value in array.to_pylist()]
        return [h and f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in hexes]
    if pa.types.is_binary(kind):
        return [None if value is None else value.hex().upper() for value in array.to_pylist()]
    if pa.types.is_struct(kind):
        fields = {kind.field(i).name: values(array.field(i)) for i in range(kind.num_fields)}
        return [{name: column[row] for name, column in fields.items()} if array[row].is_valid else None
                for row in range(len(array))]
    if pa.types.is_map(kind):
        keys, items, offsets = values(array.keys), values(array.items), array.offsets.to_pylist()
        return [dict(zip(keys[offsets[row]:offsets[row + 1]], items[offsets[row]:offsets[row + 1]]))
                if array[row].is_valid else None for row in range(len(array))]
    if pa.types.is_list(kind):
        inner, offsets = values(array.values), array.offsets.to_pylist()
        return [inner[offsets[row]:offsets[row + 1]] if array[row].is_valid else None for row in range(len(array))]
    if pa.types.is_fixed_size_list(kind):
        inner, size = values(array.values), kind.list_size
        return [inner[row * size:row * size + size] if array[row].is_valid else None for row in range(len(array))]
    return array.to_pylist()


def text(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps({str(k): v for k, v in value.items()} if isinstance(value, dict) else value,
                          separators=(",", ":"), ensure_ascii=False)
    return str(value)


def main(address, values_sql, texts_sql, codecs):
    client = flight.connect(f"grpc://{address}")
    header = client.authenticate_basic_token("types", "any")
    options = flight.FlightCallOptions(headers=[header])
    for enums, compression in (("text", "none"), *(("dictionary", codec) for codec in codecs.split(","))):
        set_option(client, options, b"enums", enums)
        set_option(client, options, b"compression", compression)
        table, texts = read(client, options, values_sql), read(client, options, texts_sql)
        table.validate(full=True)
        print(f"ok full validation, enums as {enums}, compression {compression}")
        for name in table.column_names:
            whole = pa.concat_arrays(table[name].chunks)
            actual, expected = [text(value) for value in values(whole)], texts[name].to_pylist()
            if actual != expected:
                row = [a == e for a, e in zip(actual, expected)].index(False)
                sys.exit(f"not ok {name} {whole.type} row {row}: {actual[row]!r} instead of {expected[row]!r}")
            print(f"ok {whole.type}, {len(actual)} values")


def set_option(client, options, name, value):
    """SetSessionOptions as a bare message: a map entry of the name and a string value."""
    entry = field(1, name) + field(2, field(1, value.encode()))
    list(client.do_action(flight.Action("SetSessionOptions", field(1, entry)), options))


if __name__ == "__main__":
    main(*sys.argv[1:5])
