/**
 * Questions that ask the same in other words, each put in one way. A text is its tokens with a blank between them; a
 * literal is `\uE000` and its number, and a word with a capital ends in `\uE001`. Each rule is tried once, in this order.
 */
export type Rule = readonly [match: RegExp, put: string]

const NUMBER = '-?\\d[\\d.]*'
const LITERAL = '\uE000\\d+'
const ONE = '(?:a|an|1)'

/** "Was written by whom" as "who wrote". */
const PARTICIPLES = [
  ['written', 'wrote'],
  ['drawn', 'drew'],
  ['sung', 'sang'],
  ['taken', 'took'],
  ['given', 'gave'],
  ['broken', 'broke'],
  ['chosen', 'chose'],
  ['begun', 'began'],
  ['stolen', 'stole'],
  ['thrown', 'threw'],
] as const

/** Words that belong together, wherever they stand. */
export const PHRASES: readonly Rule[] = [
  [/\bworld war (?:ii|2)\b/gu, 'ww2'],
  [/\bwwii\b/gu, 'ww2'],
  [/\bworld war (?:i|1)\b/gu, 'ww1'],
  [/\bwwi\b/gu, 'ww1'],
  [/\b(?:log|sign) (?:in|on)\b(?= to\b|$)/gu, 'login'],
  [/\bsign up\b/gu, 'register'],
  [/\bget rid of\b/gu, 'remove'],
  [/\bin order to\b/gu, 'to'],
  [/\bas well as\b/gu, 'and'],
  [/\bdue to\b/gu, 'because of'],
  [/\b(?:degrees? celsius|° c)(?=\uE001?(?: |$))/gu, 'celsius'],
  [/\b(?:degrees? fahrenheit|° f)(?=\uE001?(?: |$))/gu, 'fahrenheit'],
  [/° celsius\b/gu, 'celsius'],
  [/° c\b/gu, 'celsius'],
  [/° f\b/gu, 'fahrenheit'],
  [/° fahrenheit\b/gu, 'fahrenheit'],
  [/ on (?:the )?(?:earth|planet)(?=\uE001?$)/gu, ' in the world'],
  [/\b(?:i|we) have got\b/gu, 'i have'],
  [/ squared\b/gu, ' ^ 2'],
  [/ cubed\b/gu, ' ^ 3'],
  [/\bin (ascending|descending|alphabetical|chronological|reverse) order\b/gu, '$1'],
  [/\b(plural|singular|past|infinitive) form of\b/gu, '$1 of'],
  [/\b(even|odd|prime) number$/gu, '$1'],
  [/\b(function|script|program|query|method|regex|class|command|macro) (?:that|what|who) (?=\p{L})/gu, '$1 to '],
  [/\bhow much time\b/gu, 'how long'],
  [/\bdo you (?:guys|folks)\b/gu, 'do you'],
  [/\bat present\b|\bright now\b|\bthese days\b/gu, 'currently'],
]

/** Questions as a whole. */
export const QUESTIONS: readonly Rule[] = [
  [/^how (?:should|could|might) (?:i|you|we|1) /u, 'howto '],
  [/^(.+) (?:is|are|equals?|has|contains) how many (.+)$/u, 'how many $2 are in $1'],
  [/^(.+) (?:was|were) (\S+) by (?:who|whom)$/u, 'who $2 $1'],
  [/^by (?:who|whom) (?:was|were) (.+) (\S+)$/u, 'who $2 $1'],
  [/^who (?:was|were) (.+) (\S+) by$/u, 'who $2 $1'],
  ...PARTICIPLES.map(([participle, past]): Rule => [new RegExp(`^who ${participle} `, 'u'), `who ${past} `]),
  [new RegExp(`^how many (.+?) (?:(?:is|are) )?(?:there )?(?:in )?(${NUMBER} .+)$`, 'u'), 'convert $2 to $1'],
  [new RegExp(`^what (?:is|are) (${NUMBER} .+?) (?:in|to) (.+)$`, 'u'), 'convert $1 to $2'],
  [new RegExp(`^convert (${NUMBER} .+?) in (.+)$`, 'u'), 'convert $1 to $2'],
  [new RegExp(`^(${NUMBER} .+?) (?:in|to) (\\S+)$`, 'u'), 'convert $1 to $2'],
  [new RegExp(`^how many (.+?) (?:(?:is|are) )?(?:there )?(?:in|on) ${ONE} (.+)$`, 'u'), 'convert 1 $2 to $1'],
  [new RegExp(`^how many (.+?) (?:do|does) ${ONE} (.+) (?:have|contain)$`, 'u'), 'convert 1 $2 to $1'],
  [/^what is the (?:total )?(?:number|amount|count) of (.+)$/u, 'how many $1'],
  [/^how many people (?:live|are living|are there|reside) in (.+)$/u, 'what is the population of $1'],
  [/^how (?:do|does|is|are) (.+) and (.+) (?:differ|different)$/u, 'what is the difference between $1 and $2'],
  [/^how (?:do|does|is|are) (.+) (?:differ|different) from (.+)$/u, 'what is the difference between $1 and $2'],
  [/^what makes (.+) different from (.+)$/u, 'what is the difference between $1 and $2'],
  [/^(?:is it possible|am i able|are we able) to (.+)$/u, 'can i $1'],
  [/^(?:is|are) there (?:a |an |any )?(.+)$/u, 'do you have $1'],
  [/^do you (?:have|offer|provide) (?:a |an |any )?(.+)$/u, 'do you have $1'],
  [/^how (?:is|are) (.+) made by (.+)$/u, 'how do $2 make $1'],
  [/^what currency (?:does|do) (.+) use$/u, 'what is the currency of $1'],
  [/^what currency is used in (.+)$/u, 'what is the currency of $1'],
  [/^what languages? (?:is|are) spoken in (.+)$/u, 'what is the language of $1'],
  [/^what languages? (?:does|do) (?:people|they) speak in (.+)$/u, 'what is the language of $1'],
  [/^(?:at )?what temperature (?:does|do) (.+) (freez|boil|melt)e?(?: at)?$/u, 'what is the $2ing point of $1'],
  [/^how far (?:away )?is (?:it from )?(.+?) (?:from|to) (.+)$/u, 'what is the distance between $1 and $2'],
  [/^(what is the distance) from (.+) to (.+)$/u, '$1 between $2 and $3'],
  [/^what is the number of (.+) (?:in|on) (?:a|an|1) (.+)$/u, 'convert 1 $2 to $1'],
  [/^how long is (.+)$/u, 'what is the length of $1'],
  [/^how big is (.+)$/u, 'what is the size of $1'],
  [/^how deep is (.+)$/u, 'what is the depth of $1'],
  [/^how wide is (.+)$/u, 'what is the width of $1'],
  [/^how (?:much does (.+) cost|expensive is (.+))$/u, 'what is the price of $1$2'],
  [/^what is the cost of (.+)$/u, 'what is the price of $1'],
  [/^what (?:is|was) (?:the )?(?:date of birth|birth date|birthday|birthdate) of (.+)$/u, 'when was $1 born'],
  [/^what (?:is|was) (?:the )?date of (.+) of birth$/u, 'when was $1 born'],
  [/^what (?:is|was) (?:the )?(?:birthplace|place of birth) of (.+)$/u, 'where was $1 born'],
  [/^(what year (?:was|did|were) .+) in$/u, '$1'],
  [/^what (\S+) (?:of|in|on) (.+) is the (\S+est)$/u, 'what is the $3 $1 in $2'],
  [/^what (?:is|was) the date (?:on (?:what|which|that)|when|that|of when) (.+)$/u, 'when $1'],
  [/^on what (?:date|day) (.+)$/u, 'when $1'],
  [/^what (?:is|was) the (?:reason|cause) (?:that |why |for what )?(?!(?:of|for) )(.+)$/u, 'why $1'],
  [/^how come (.+)$/u, 'why $1'],
  [/^for what reason (.+)$/u, 'why $1'],
  [/^what is (.+) (?:short|an abbreviation|the abbreviation) for$/u, 'what stands for $1'],
  [/^what does (.+) (?:stand for|abbreviate)$/u, 'what stands for $1'],
  [/^what (?:does stand|is (?:short|the abbreviation|an abbreviation)) for$/u, 'what stands for'],
  [new RegExp(`^how (?:is|are) (${LITERAL}|.+) spel(?:led|t)$`, 'u'), 'spell $1'],
  [/^(?:howto spell|what is the (?:correct |right )?spelling of) (.+)$/u, 'spell $1'],
  [
    new RegExp(
      `^(?:howto say|what is|how is|howto translate) (${LITERAL})(?: (?:said|called|translated))? (?:in|to) (.+)$`,
      'u',
    ),
    'translate $1 to $2',
  ],
  [new RegExp(`^what is the \\S+ (?:word|term|translation) (?:for|of) (${LITERAL})$`, 'u'), '$&'],
  [
    new RegExp(`^how (?:would|do|can|should) (?:you|i|we) (?:translate|say) (${LITERAL}) (?:in|to) (.+)$`, 'u'),
    'translate $1 to $2',
  ],
  [new RegExp(`^translate (${LITERAL}) in (.+)$`, 'u'), 'translate $1 to $2'],
  [/^what (?:words? )?rhymes? with (.+)$/u, 'what rhymes with $1'],
  [/^how long (?:does it take|do (?:i|you|we) need|would it take|will it take) to (.+)$/u, 'how long take $1'],
  [/^how long (?:should|do|must) (?:i|you|we) (.+)$/u, 'how long take $1'],
  [/^where (?:can|do|could|may|would) (?:i|you|we|one|1) (.+)$/u, 'where i $1'],
  [/^where (is|are|was|were) (.+) (?:located|situated|found)$/u, 'where $1 $2'],
  [/^what is the location of (.+)$/u, 'where is $1'],
  [/^what (?:is|are) the (?:\S+ )??(?:command|steps?|method|process|procedure) (?:to|for) (.+)$/u, 'howto $1'],
  [/^what (.+) (?:does|do) (.*?) ?use by default$/u, 'what is the default $1 $2'],
  [/^does (.+) belong to (.+)$/u, 'is $1 part of $2'],
  [/^solve (.+) for ([a-z])$/u, 'solve $1'],
  [/^howto make (.+) (faster|smaller|shorter|bigger|louder|stronger)$/u, 'howto make $2 $1'],
  [/^howto speed up (.+)$/u, 'howto make faster $1'],
  [/^what (?:happened|happens) (?:if|when) (.+)$/u, 'what happens if $1'],
  [/^who (?:is|was) the (?:writer|author) of (.+)$/u, 'who wrote $1'],
  [/^who (?:is|was) the (?:founder|creator) of (.+)$/u, 'who founded $1'],
]

/** How an answer is to be worded: it may stand at either end. */
export const MANNERS: readonly Rule[] = [
  [/\bin (?:simple|plain|easy|layman) (?:terms|words|english|language)\b/u, '@simple'],
  [/\bstep by step\b/u, '@steps'],
  [/\b(?:briefly|in brief|in short)\b/u, '@brief'],
  [/\bin (?:1|a single) sentence\b/u, '@sentence'],
  [/\bin (?:1|a single) line\b/u, '@line'],
]

/** One of these in a question says where it belongs; with two of them it matters where each stands. */
export const FIELDS: ReadonlySet<string> = new Set(
  `python javascript typescript java git sql css html postgres postgresql mysql sqlite mongodb docker kubernetes linux
  ubuntu macos numpy pandas vue angular rails php kotlin scala matlab http https ssh ftp smtp dns redis nginx nodejs npm
  django powershell photoshop gmail github gitlab aws terraform haskell elixir c# c++`.split(/\s+/),
)
/** Of these only where they are written as names. */
export const NAMED_FIELDS: ReadonlySet<string> = new Set(
  'go rust swift windows excel bash react ruby perl latex vim emacs apache node flask ansible word'.split(' '),
)
