/** Every limit of the page, with its unit. */
export const PAGE_LIMITS = {
  /** Of keys, a policy, a proof, a kept checkpoint. */
  pinFileBytesMax: 1_048_576,
  /** An audit package of some hundred thousand receipts; larger ones are for the command line. */
  documentBytesMax: 268_435_456,
  checkpointFilesMax: 64,
  /** The page is drawn again after so long, however many signatures are left. */
  drawnAgainMsMax: 50,
} as const
