/** Characters (UTF-16 code units) of an id that we issue, ours or the client's. */
const issuedReceiptIdCharsMax = 128

/** Characters (UTF-16 code units) of an id in a receipt that another party issued. */
export const foreignReceiptIdCharsMax = 255

const ISSUED_ID = /^[A-Za-z0-9._:-]+$/
/** C0 and C1 controls with NUL, DEL, and halves of surrogate pairs. */
const UNSPEAKABLE = /[\p{Cc}\p{Cs}]/u

/** True for an id that may stand in a receipt of ours: 1 to 128 of `A-Z a-z 0-9 . _ : -`. */
export function isIssuedReceiptId(id: string): boolean {
  return id.length <= issuedReceiptIdCharsMax && ISSUED_ID.test(id)
}

/** True for an id (or key id) that we take from elsewhere: 1 to 255 characters, none a control, none half a pair. */
export function isForeignReceiptId(id: string): boolean {
  return id.length >= 1 && id.length <= foreignReceiptIdCharsMax && !UNSPEAKABLE.test(id)
}
