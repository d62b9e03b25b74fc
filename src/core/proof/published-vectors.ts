type SignatureVector = {
  readonly name: string
  /** Hexadecimal, like the others. */
  readonly publicKey: string
  readonly message: string
  readonly signature: string
}

/** RFC 8032 section 7.1. */
export const SIGNATURES: readonly SignatureVector[] = [
  {
    name: 'section 7.1 test 1',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'section 7.1 test 2',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'section 7.1 test 3',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'section 7.1 test SHA(abc)',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
]

/** A point of order 4: a signature that fits it proves nothing. */
export const LOW_ORDER_KEY = '0'.repeat(64)

/**
 * RFC 8785 appendix B: the bits of a double and how it is written; the name of the refusal for those that this program
 * signs nowhere.
 */
export const DOUBLES: readonly (readonly [bits: string, text: string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', 'unsafe-integer'],
  ['ffefffffffffffff', 'unsafe-integer'],
  ['4340000000000000', 'unsafe-integer'],
  ['c340000000000000', 'unsafe-integer'],
  ['4430000000000000', 'unsafe-integer'],
  ['7fffffffffffffff', 'non-finite-number'],
  ['7ff0000000000000', 'non-finite-number'],
  ['44b52d02c7e14af5', 'unsafe-integer'],
  ['44b52d02c7e14af6', 'unsafe-integer'],
  ['44b52d02c7e14af7', 'unsafe-integer'],
  ['444b1ae4d6e2ef4e', 'unsafe-integer'],
  ['444b1ae4d6e2ef4f', 'unsafe-integer'],
  ['444b1ae4d6e2ef50', 'unsafe-integer'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

/** RFC 8785 section 3.2.3. */
export const MEMBERS = {
  value: {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  },
  text:
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",' +
    '"\u20ac":"Euro Sign","\u{1f600}":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
} as const

/** A log of the entries "a", "b" and "c" by the key of seed 00 01 … 1f, witnessed by the key of seed ff fe … e0. */
export const WORKED_LOG = {
  log: 'receipts.example/log1+937a8fbe+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4',
  witness: 'witness.example/w1+c9cb6cd1+BLr8cb6tOsXktj6cghbucaNKrsZXIu7bynKLTps8zOOW',
  leaf: '022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c',
  proof: [
    '57eb35615d47f34ec714cacdf5fd74608a5e8e102724e80b24b287c0c27b6a31',
    '597fcb31282d34654c200d3418fca5705c648ebf326ec73d8ddef11841f876d8',
  ],
  time: 1_700_000_000,
  note: `receipts.example/log1
3
NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=

— receipts.example/log1 k3qPvv2JSzjGsaxjrSY/8jVi1/vqLmOSHskhv+sVXGP1SaO6w0b1moomSWZSnJ3xNN51m5o4istlYG5nAjuPf86h6gA=
— witness.example/w1 ycts0QAAAABlU/EAVamU1RyjSEzVV54Pwg9mxaNmO3jzR5DguxvhNU76f8c/S9qGOsca0VVNv4MSfiUQxIwchLNgr8Ev6/+Nkr6vBg==
`,
} as const
