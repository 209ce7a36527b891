"""Protobuf messages by hand, for clients that have Flight but not Flight SQL."""

SQL = "type.googleapis.com/arrow.flight.protocol.sql."


def field(number, value):
    """A field of the message: bytes and texts by their length, numbers as varints."""
    if isinstance(value, (bool, int)):
        return varint(number << 3) + varint(int(value))
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value):
    data = b""
    while value >= 128:
        data, value = data + bytes([value & 127 | 128]), value >> 7
    return data + bytes([value])


def fields(data):
    """Of a message, by number: the last value of each."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value
    while at < len(data):
        key = number()
        size = number()
        if key & 7 == 2:
            found[key >> 3] = data[at:at + size]
            at += size
        else:
            found[key >> 3] = size
    return found


def packed(name, body=b""):
    """In an Any."""
    return field(1, SQL + name) + field(2, body)


def unpacked(data):
    return fields(fields(data)[2])
