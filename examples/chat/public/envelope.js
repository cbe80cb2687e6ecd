// A file and what is to be known of it, in one binary message: the length of
// the header in two bytes, the header as JSON, the file.

export function pack(header, file) {
  const json = new TextEncoder().encode(JSON.stringify(header));

  return new Blob([
    new Uint8Array([json.length >> 8, json.length]),
    json,
    file
  ]);
}

export function unpack(message) {
  const end = 2 + new DataView(message).getUint16(0);
  const json = new TextDecoder().decode(new Uint8Array(message, 2, end - 2));

  return { header: JSON.parse(json), bytes: new Uint8Array(message, end) };
}
