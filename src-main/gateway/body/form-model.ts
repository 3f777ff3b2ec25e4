const LINE_END = '\r\n'
const HEAD_END = '\r\n\r\n'

/**
 * Form data with the value of its field `model` replaced where that is `from`; every other byte stays. Forms are of
 * tens of megabytes, so nothing is decoded but the heads of the parts. Untouched where there is no such field.
 */
export function withFormModel(bytes: Buffer, { from, to }: { from: string; to: string }): Buffer {
  const firstLine = bytes.indexOf(LINE_END)
  if (firstLine < 3 || bytes.toString('latin1', 0, 2) !== '--') return bytes
  // No part may hold it: that is what makes it the boundary.
  const boundary = Buffer.concat([Buffer.from(LINE_END), bytes.subarray(0, firstLine)])
  let at = firstLine
  for (;;) {
    const headEnd = bytes.indexOf(HEAD_END, at)
    const valueStart = headEnd + HEAD_END.length
    const end = headEnd === -1 ? -1 : bytes.indexOf(boundary, valueStart)
    if (end === -1) return bytes
    const isModel = isModelField(bytes.toString('latin1', at, headEnd))
    if (isModel && bytes.toString('utf8', valueStart, end) === from) {
      return Buffer.concat([bytes.subarray(0, valueStart), Buffer.from(to), bytes.subarray(end)])
    }
    at = end + boundary.length
  }
}

const isModelField = (head: string): boolean =>
  /^content-disposition:[ \t]*form-data\b.*;[ \t]*name=(?:"model"|model)[ \t]*(?:;|$)/im.test(head)
