/** What a word of a prompt says about its difficulty, for `classify`: the strongest sign whose stem it begins with. */

export type Sign = 'small' | 'maker' | 'making' | 'demanding' | 'hard' | 'certain'

const STEMS: Readonly<Record<Sign, string>> = {
  // Small tasks, if the text is short.
  small: `translat classif extract label tag spell capitali uppercase lowercase count convert sort correct punctuat
    reformat rephras repl sentiment synonym antonym plural define traduc traduis übersetz round turn remove identif
    detect pick choose check tell which is say name list shorten pull`,
  // Verbs that ask for something big only with a word of it, or many words.
  maker: 'writ suggest creat generat build giv plan make prepar produce show provide need want',
  // Something is to be explained, compared or made: for a model in the middle.
  making: `explain compar summar draft describ outlin refactor implement script function recommend itinerar essay letter
    email report query sql regex regular dockerfile manifest schema unit unittest rewrit translation improv fix debug discuss
    advantage disadvantage pros cons differen compos feedback story poem sonnet haiku limerick speech dialogue quiz abstract
    review code program interface class api html css python javascript typescript java rust golang kubernetes graphql makefile
    bash formula checklist schedule agenda newsletter post blog paragraph average meeting notes minutes press proposal policy
    notice training course lesson tutorial guide overview essay article concept example choos consider invoice budget
    campaign persona interview trip packing resume cover why how
    erklär schreib vergleich zusammen fasse erstell programmier beschreib unterschied écri rédig expliqu compar résum décri
    différence explica escrib compara resum redact diferencia spiega scriv confront descri riassum explique escrev
    beschrijf schrijf vergelijk napisz wyjaśni объясн напиш сравн опиш состав`,
  // Several of these in one prompt say that it is hard; each alone is as often in an easier one.
  demanding: `analy design develop argu weigh reasoning risk assumption worst case proof thorough carefully tolerat
    concurren scale scaling scalab latency consisten secur legal clause medical financ patient contract tax regulat economic
    experiment research tenant region algorithm protocol construct incompatib performance failure lock unsafe leak memory
    reduc integral equation threat race assess evaluat strateg scenario portfolio simulat migrat inferenc
    mechanism constraint valuation evidence interpret implication evaluat critical optim limitation tradeoff trade-off
    symptom treatment dose liab court law statut architect distribut stakeholder budget investigat thread async transaction
    premis fallac contradict encrypt revok revoc synchroni polymorphi undefined pharmac interact sensitivit permutation consolidat
    replica shard downtime monolith ownership partition queue cache throughput bottleneck probabilit statistic matrix graph bound sampl bias ethic
    analysier entwickl entwirf untersuch analys conçoi évalu analiz diseñ desarroll evalú analizz progett проанализ спроектир
    разработ`,
  hard: `induct rigor irrational complexit asymptot linearizab consensus raft paxos deadlock livelock interleav lock-free
    lockfree memory-order idempoten exactly-once quorum byzantin multi-region failover adversar differential diagnos etiolog
    comorbid pathophysiolog contraindicat jurisdict enforceab negligen precedent constitutional litigat critiqu
    counterfactual hypothes confound causal regress bayes posterior likelihood eigen stochast pde manifold topolog homeomorph
    axiom quantifier quantitativ formulat heuristic np-hard np-complete game-theor equilibri nash hedge convexit
    amorti rollback root-caus vectori garbage-collect bisimul invariant feasib synthesi methodolog justif
    deduction deduce puzzle remediat ramificat fencing mixed-integer undecidab optimise optimize optimal intermittent
    nondeterminis sporadic vulnerab exploit cryptograph homomorph differentiab convergen diverg combinator lagrang
    hamiltonian quantum thermodynam aeroelast jurisprud fiduciar arbitrat antitrust gdpr herleit begründ`,
  certain: `prove proves disprov deriv theorem lemma counterexampl beweis beweise widerleg démontr prouv demuestr demostr
    dimostr udowodnij докаж bewijs kanıtla ispatla`,
}
/** Begins as a word of hard work and is none. */
const NO_SIGN =
  /^(derivativ|hedgehog|hedges|provid|regular|checkout|discount|namely|islands?$|issue|israel|isolat|lists?$|lawn|racket|racial|classical)/
/** The order in which a word that begins with several stems is read. */
const SIGNS: readonly Sign[] = ['certain', 'hard', 'demanding', 'making', 'maker', 'small']
const signOfStem = new Map<string, Sign>(
  [...SIGNS].reverse().flatMap((sign) => STEMS[sign].split(/\s+/).map((stem) => [stem, sign] as const)),
)
/** Shorter stems count only as a whole word. */
const stemCharsMin = 4
const stemCharsMax = 15

/** What a word in lower case says: the sign of the longest stem that it begins with. */
export function signOf(word: string): Sign | undefined {
  const whole = signOfStem.get(word)
  if (whole !== undefined || NO_SIGN.test(word)) return whole
  for (let length = Math.min(word.length - 1, stemCharsMax); length >= stemCharsMin; length -= 1) {
    const sign = signOfStem.get(word.slice(0, length))
    if (sign !== undefined) return sign
  }
  return undefined
}

/** Signs of the same in languages that put no blanks between words. */
export const HARD_SIGNS = /証明|设计|設計|证明|證明|推导|導出|分析|优化|最適化|評価|评估|論証|증명|설계|분석|最適/u
export const MAKING_SIGNS = /書いて|説明|作成|比較|要約|写一|写出|编写|解释|总结|比较|作って|설명|작성|요약|비교/u
/** Said of the way of thinking that is wanted. */
export const REASONING =
  /step[- ]by[- ]step|reason (through|about|step)|think (through|carefully)|show (your|the full|each) |justify|chain of thought|schritt für schritt|étape par étape|paso a paso|with a proof|in depth|trade-?offs?|root causes?|from first principles|without downtime/u
export const CODE =
  /```|\bfunction\b.*\{|\bdef \w+\(|=>|;\s*\n|\bclass \w+|\bfunc \w+\(|\bselect\b.+\bfrom\b|#include|\bvar \w+|\breturn\b/iu
/** What is to be delivered: several of them in a long instruction make it a hard one. */
export const DEMANDS =
  /\b(explain|discuss|propose|deriv|formulat|decide|weigh|work (?:it )?(?:out|through)|lay out|set out|reason|analy[sz]e|justify|recommend|defend|identify|assum|what (?:would|changes)|show that|how (?:you|you'd|to measure|to verify|would)|find the|find each|give a|give an|say how|say what|describe|compute|build|include|model|at length|critically|exactly (?:which|how|why)|which (?:sources|transformation))/gu
/** An answer of a word or a line is wanted. */
export const SHORT_ANSWER =
  /\b(?:(?:reply|answer|respond) (?:only )?(?:with|in) (?:just |only )?(?:one|a single|1) |(?:one|a single) (?:word|letter|number)\b|true or false|yes or no|as json with)/u
/** A sentence is to be put otherwise. */
export const SMALL_CHANGE =
  /^(?:please )?(?:(?:fix|correct|check) (?:the |this |my |any )*(?:spelling|grammar|typos?|punctuation)|(?:make|turn|put|change|rewrite|rephrase|shorten) (?:this|it|the following)(?! (?:paragraph|essay|email|function|code))\b|pull out|find every|list every)/u
