/** The words that mean the same in a question, for `questionForm`. What is not listed here has to match as it stands. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))
const pairs = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split('=') as [string, string]),
  )

export const ARTICLES = words('a an the')
export const PRESENT_BE = words('is are am be')
export const PAST_BE = words('was were')
/** With one of these in the text, "killed" may be passive and is not the past of "kills". */
export const PERFECT_OR_PASSIVE = words('is are am be was were been being have has had get gets got')
export const QUESTION_WORDS = words('what who when where why how whose howto')
/** A question that starts so is answered by yes or no. */
export const YES_NO = words('is are am was were do does did can could will would should has have had may might must')
export const POLITE = words('please kindly pls plz exactly')
/** What a program is asked to do; after "can you" they make a request of a question. */
export const DIRECTIVES =
  words(`add analyze answer calculate check classify clarify compare compute convert correct count
  create define describe draft elaborate evaluate explain extract find fix generate give help identify list make name
  organize outline paraphrase proofread propose provide rank recommend refactor rephrase rewrite round say show shorten
  simplify solve sort state suggest summarize tell translate turn write`)
/** Before "for", these make it the same as "of". */
export const TAKES_FOR = words(
  'symbol synonym antonym use word recipe term formula abbreviation equation port sign code',
)
/** After these a lone "a" is a name and no article. */
export const TAKES_LETTER = words(`vitamin hepatitis type plan option grade class group team part section letter variant
  influenza level category series side point vowel note exhibit appendix schedule form`)
export const ROLES =
  words(`president ceo mayor prime king queen chancellor governor champion chairman chair director pope
  head monarch secretary minister`)
/** Words that mean another thing if they are written with a capital inside of a sentence. */
export const CASE_MATTERS =
  words(`polish turkey china march may august apple windows go rust swift will mark bill jobs who
  aids ram sap reading nice mobile bath cork amazon oracle shell excel word access it us bash rich frank rose grace hope
  jack drew chase chad guinea jordan georgia target gap visa stripe square slack zoom meta notion cursor`)

/** Spelling of one word, and words that mean exactly the same. */
export const SAME_WORD = pairs(`colour=color favour=favor favourite=favorite flavour=flavor honour=honor humour=humor
  labour=labor neighbour=neighbor behaviour=behavior rumour=rumor harbour=harbor vapour=vapor odour=odor armour=armor
  centre=center centred=centered metre=meter kilometre=km kilometer=km kms=km kilogram=kg kilogramme=kg kgs=kg litre=liter
  theatre=theater fibre=fiber grey=gray programme=program catalogue=catalog dialogue=dialog defence=defense offence=offense
  licence=license practise=practice aluminium=aluminum jewellery=jewelry maths=math aeroplane=airplane analyse=analyze
  analysed=analyzed analysing=analyzing catalyse=catalyze paralyse=paralyze travelling=traveling travelled=traveled
  cancelled=canceled cancelling=canceling modelling=modeling labelled=labeled ageing=aging whilst=while enrol=enroll
  fulfil=fulfill skilful=skillful mould=mold plough=plow sceptical=skeptical pyjamas=pajamas doughnut=donut
  yoghurt=yogurt moustache=mustache artefact=artifact cosy=cozy
  biggest=largest which=what whether=if into=to percent=% per_cent=% plus=+ minus=- ok=okay
  usa=usa kilometres=km kilometers=km kilograms=kg versus=vs`)

/** Lemmas of one meaning in a question. */
export const SYNONYMS = pairs(`begin=start purchase=buy large=big film=movie automobile=car kid=child physician=doctor
  telephone=phone fix=correct verify=check create=make obtain=get receive=get require=need occur=happen assist=help
  quick=fast quickly=fast rapidly=fast rapid=fast shop=store human=person delete=remove erase=remove
  terminate=end photograph=photo employ=use utilize=use inexpensive=cheap wealthy=rich ill=sick simple=easy`)

/** Past forms that are no participle. */
export const SIMPLE_PAST =
  pairs(`wrote=write sank=sink began=begin went=go took=take gave=give saw=see drank=drink ate=eat
  came=come ran=run knew=know grew=grow flew=fly drew=draw broke=break spoke=speak chose=choose drove=drive rose=rise
  fell=fall wore=wear threw=throw swam=swim sang=sing rang=ring became=become froze=freeze stole=steal woke=wake`)
/** Past forms that may be participles too. */
export const PAST_OR_PARTICIPLE = pairs(`built=build made=make won=win lost=lose found=find said=say sold=sell held=hold
  led=lead met=meet sent=send kept=keep paid=pay bought=buy brought=bring taught=teach thought=think caught=catch
  fought=fight told=tell stood=stand understood=understand meant=mean felt=feel`)
export const IRREGULAR = pairs(`has=have men=man women=woman children=child mice=mouse teeth=tooth geese=goose does=do
  wives=wife knives=knife lives=live leaves=leave wolves=wolf shelves=shelf halves=half goes=go potatoes=potato
  tomatoes=tomato zeros=zero zeroes=zero bananas=banana photos=photo videos=video cameras=camera areas=area
  ideas=idea pizzas=pizza heroes=hero criteria=criterion phenomena=phenomenon`)
/** Not plurals, or plurals that mean something else. */
export const KEEPS_S =
  words(`news physics mathematics economics politics ethics statistics mechanics means customs goods arms
  glasses series species athletics genetics dynamics always perhaps sometimes besides thanks yes this plus less mars
  hers yours ours theirs james kubernetes rails sas aws ios macos rings lens stairs athens wales siemens`)

export const CONTRACTIONS = pairs(`can't=can_not won't=will_not shan't=shall_not cannot=can_not let's=let_us dont=do_not
  doesnt=does_not didnt=did_not isnt=is_not arent=are_not wasnt=was_not cant=can_not wont=will_not whats=what_is
  whos=who_is im=i_am ive=i_have ain't=is_not`)
/** After these, 's is "is"; after anything else it is a possessive. */
export const IS_AFTER = words('what who where when why how that it there he she here this which')

const UNITS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'
export const NUMBER_WORDS: ReadonlyMap<string, number> = new Map([
  ...UNITS.split(' ').map((word, value) => [word, value] as const),
  ...TENS.split(' ').map((word, tens) => [word, 10 * (tens + 2)] as const),
])
export const SCALES: ReadonlyMap<string, number> = new Map([
  ['hundred', 100],
  ['thousand', 1_000],
  ['million', 1_000_000],
])
export const ORDINALS =
  pairs(`first=1st second=2nd third=3rd fourth=4th fifth=5th sixth=6th seventh=7th eighth=8th ninth=9th
  tenth=10th`)

/** Months and the like: "in May" and "for May" differ, as "in 5 days" and "for 5 days" do. */
export const TIMES = words(`january february march april may june july august september october november december monday
  tuesday wednesday thursday friday saturday sunday spring summer autumn winter`)

/** Openings that ask nothing by themselves, the longest first. */
export const FRAMES: readonly string[] = [
  'i would like to know',
  'i would love to know',
  'i want to know',
  'i need to know',
  'i am wondering',
  'i was wondering',
  'i wonder',
  'do you happen to know',
  'do you have any idea',
  'any idea',
  'i am curious',
  'i am trying to find out',
  'i need you to',
  'i want you to',
  'i would like you to',
  'i was wondering if you could',
  'can you help me to',
  'help me to',
  'help me',
  'would you be able to',
  'would you mind',
  'may i ask',
  'can i ask',
  'could i ask',
  'do you know',
  'can you help me',
  'would you mind telling me',
  'let me know',
  'i have a question',
  'quick question',
  'thanks in advance',
  'thank you',
  'thanks',
  'for me',
  'to me',
].sort((one, other) => other.length - one.length)
/** "How do you feel" asks about who feels, "how do you boil an egg" about the egg. */
export const PERSONAL_VERBS = words('feel think know like look see work do differ help handle')

/** In another language every word counts as it stands: these show that a text is not English. */
export const OTHER_LANGUAGES =
  words(`der die das und ist nicht wie wo wer warum ein eine einen für mit von zu auf im den dem
  le les une est que qui quoi comment pourquoi quel quelle où dans avec pour sur du des el los las una es qué quién cómo
  cuándo dónde por para con del de il lo gli che di chi perché come sono uno het een niet wat hoe waar van och är att som
  vad inte på att não como onde quem são uma para jest nie co jak czy gdzie`)
