import { describe, expect, it } from 'vitest'
import { jaccard, questionCharsMax, questionForm } from '../../src/core/routing/index.js'

const key = (text: string) => questionForm(text)?.key
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' | ') as [string, string])

const ALIKE = lines(`
  Who painted Guernica? | Guernica was painted by whom?
  Who wrote Emma? | Emma was written by whom?
  What does HTML stand for? | What is HTML short for?
  What does NASA stand for? | What is NASA short for?
  How do you spell "necessary"? | How is "necessary" spelled?
  How do you say "thank you" in Japanese? | What's "thank you" in Japanese?
  Translate "bread" to Danish | How would you translate "bread" into Danish?
  How many ounces are in a pound? | How many ounces in 1 pound?
  How many feet are in a mile? | A mile is how many feet?
  How many players are on a team? | How many players does a team have?
  Convert 5 km to miles | How many miles is 5 km?
  When did World War II end? | When did WWII end?
  When was the Titanic sunk? | What was the date on which the Titanic was sunk?
  Where is Machu Picchu? | Where's Machu Picchu located?
  When was Ada Lovelace born? | What was Ada Lovelace's date of birth?
  Where was Ada Lovelace born? | What was Ada Lovelace's birthplace?
  How do I list all branches in git? | In git, how do I list all branches?
  What's the default port for Redis? | What is Redis's default port?
  Which port does SSH use by default? | What's the default SSH port?
  What are the differences between REST and SOAP? | How are REST and SOAP different?
  Write a Python function to reverse a string | Please write a function in Python that reverses a string
  What is the population of Iceland? | How many people live in Iceland?
  What currency does Thailand use? | What is the currency of Thailand?
  What language is spoken in Andorra? | Which language do people speak in Andorra?
  At what temperature does water freeze? | What's the freezing point of water?
  Why do we have seasons? | What's the reason we have seasons?
  How long does it take to boil an egg? | How long do you need to boil an egg?
  How long is a marathon? | What's the length of a marathon?
  Where can I download my invoice? | Where do I download my invoice?
  Can I pay by card? | Is it possible to pay by card?
  Do you have a student discount? | Is there a student discount?
  Is Greenland part of Denmark? | Does Greenland belong to Denmark?
  Solve x + 7 = 12 | Solve x+7=12 for x.
  Explain evolution in simple terms. | Explain in simple terms evolution
  capital of Bolivia | What is the capital of Bolivia?
  How can I speed up a slow query? | How do I make a slow query faster?
  How much does a stamp cost? | What is the price of a stamp?
  I've got two eggs | I have two eggs
  How do I delete a branch? | How do I remove a branch?
  What is the capital of France? | What's France's capital city?
  How do I reverse a string in Python? | I'd like to know how to reverse a string in python
  Could you please tell me who the CEO of Siemens is? | Who is Siemens' CEO?
  What is the largest planet in the solar system? | Which planet is the biggest in the solar system?
  Convert 5 km to miles. | Please convert five kilometers into miles
  What is 12 times 12? | What is 12 x 12?
  List five uses of baking soda. | Give me a list of 5 uses for baking soda.
  When did the Titanic sink? | Do you know when the Titanic sank?
  Who is the president of the United States? | Who's the president of the U.S.?
  What colour is an emerald? | what color is an emerald
  How many continents are there? | Tell me how many continents there are
  Tell me whether a whale is a mammal. | Are whales mammals?
  What does "entropy" mean? | Define "entropy".
  What is two hundred and 5? | What is 200 and five?
  Plan a three-day trip to Prague. | Plan a 3 day trip to Prague, please
  I don't know what to do. | I do not know what to do
  Who is the author of Dune? | Who wrote Dune?
  How heavy is a blue whale? | What does a blue whale weigh?
  ¿Qué es la fotosíntesis? | qué es la fotosíntesis
  What is 5,000,000 in words? | What is 5 million in words?
  What's the time complexity of mergesort? | What is the time complexity of mergesort
  Hi there! How do I boil an egg? | How do you boil an egg?
  Hello, what's the melting point of iron? Thanks! | What is the melting point of iron?
  Can you explain what a mutex is? | What is a mutex?
  Explain to me how DNS works. | How does DNS work?
  Please list 3 rivers in France | Name three rivers in France.
  How many minutes are there in a week? | How many minutes are in a week?
  What are the side effects of ibuprofen? | What are ibuprofen's side effects?
  What is the number twenty-one in binary? | What is the number 21 in binary?
  Summarise the plot of Dracula. | Please summarize Dracula's plot
  Which country has the largest population? | What country has the biggest population?
  Would you mind telling me what HTTP means? | What does HTTP mean?
  I was wondering if you could translate "hello" into Greek | Translate "hello" to Greek.
  Is it raining in Rome? | Tell me if it is raining in Rome
  Does the sun rise in the east? | Do you know whether the sun rises in the east?
  What is 15 percent of 80? | What is 15% of 80?
  It's cold, what should I wear? | It is cold. What should I wear?
  Who is the mayor of London? | Who is London's current mayor?
  What is the U.S. budget? | What is the US budget?
  How tall is Mount Fuji? | What is the height of Mount Fuji?
  Write me a poem about rain | Write a poem about rain.
  When did he go home? | Do you know when he went home?
  Compare cats & dogs | Compare cats and dogs
  What is the meaning of the word "sonder"? | What does the word "sonder" mean?
  My favourite neighbour is grey | my favorite neighbor is gray
  Send the e-mail to Ann | Send the email to Ann
  What's the 1st planet? | What is the first planet?
  Was ist die Hauptstadt von Peru? | was ist die hauptstadt von peru
  Quelle est la capitale du Pérou ? | Quelle est la capitale du Pérou?
  日本の首都はどこですか。 | 日本の首都はどこですか
`)
const APART = lines(`
  What's the default port for HTTP? | What's the default port for HTTPS?
  How do I sort a list in Python? | How do I sort a list in Ruby?
  Convert Python to Java | Convert Java to Python
  How many ounces are in a pound? | How many pounds are in an ounce?
  How many miles is 5 km? | How many km is 5 miles?
  Who painted Guernica? | Guernica was painted when?
  Explain evolution in simple terms. | Explain evolution step by step.
  How do I make a slow query faster? | How do I make a fast query slower?
  When was Ada Lovelace born? | Where was Ada Lovelace born?
  How long is a marathon? | How long does a marathon take?
  Do you have a student discount? | Do you have a family discount?
  What does HTML stand for? | What does CSS stand for?
  \uE0000 | \uE0001
  What is a dog? | What does a dog do?
  Who killed Bob? | Who did Bob kill?
  When was Bob killed? | When did Bob kill?
  What is the matter? | What is matter?
  Who made us? | Who made US?
  vitamin A benefits | vitamin benefits
  Set an alarm for 6 am | Set an alarm for 6
  What is in the box? | What is on the box?
  I am back in 2 days | I am back for 2 days
  The shop opens in 2 days | The shop opens 2 days
  Is she here? | She is here.
  What is C? | What is C++?
  What is C? | What is C#?
  A few people came | Few people came
  What is x²? | What is x2?
  What is 5-3? | What is 5+3?
  What is -5? | What is 5?
  What is 1,5? | What is 15?
  Write a letter to my boss | Write a letter for my boss
  Can he go? | Can't he go?
  What did he say? | What does he say?
  Print "a" | Print "A"
  Is 3 < 4? | Is 3 > 4?
  the dog of the man | the man of the dog
  How do you feel? | How do I feel?
  Can I cancel my subscription? | Can you cancel my subscription?
  What is turkey? | What is this Turkey?
  How do I board a plane? | How do I board a plan?
  How do I log in? | How do I log?
  difference between is and are | difference between are and is
  How do I use the in operator? | How do I use the operator?
  He is a doctor and was a nurse | He was a doctor and is a nurse
  translate to French: hi | translate to French: Hi
  Was kostet das | Was kostet es
  日本の首都はどこですか。 | 韓国の首都はどこですか。
  What is the largest city in Texas? | What is the largest city on Texas?
  the first world war | the second world war
  Name the dog | Name a dog
  Convert 5 km to miles | Convert 5 miles to km
  Convert 5 km to miles | Convert 5.5 km to miles
  Convert 5 km to miles | Convert 50 km to miles
  Set an alarm for 6:30 am | Set an alarm for 6:30 pm
  How do I turn on the light? | How do I turn off the light?
  What happens before lunch? | What happens after lunch?
  Flights from Oslo to Rome | Flights from Rome to Oslo
  Should I eat with salt? | Should I eat without salt?
  Argue for nuclear power | Argue against nuclear power
  Is it above the line? | Is it below the line?
  Only admins can delete users | Admins can only delete users
  Are all birds able to fly? | Are some birds able to fly?
  List the first three kings | List the last three kings
  Is A better than B? | Is B better than A?
  What should I do? | What should he do?
  Translate "good morning" to French | Translate "good evening" to French
  Translate "good morning" to French | Translate "good morning" to Italian
  Who wrote "Jazz"? | When was "Jazz" written?
  How often do cats sleep? | How long do cats sleep?
  Which planets have rings? | Which planets have no rings?
  Sort 9, 4, 7 ascending | Sort 4, 9, 7 ascending
  A shirt costs $40 | A shirt costs €40
  Add 3 and 4 to the list | Add 3 or 4 to the list
  What is 3 * (4 + 5)? | What is (3 * 4) + 5?
  for i < n | for i <= n
  Is !ready true? | Is ready true?
  What is the capital of Georgia? | What is the capital of georgia?
  Who did you meet? | Who did she meet?
  Is he a doctor? | Is he the doctor's brother?
  When will it open? | When did it open?
  He has been here | He is here
  Python 3.9 | Python 3.90
  How many eggs do I need? | How much egg do I need?
  The meeting is on Monday | The meeting is on Tuesday
  Meet me in May | Meet me for May
  What does error 404 mean? | What does error 403 mean?
  Show users older than 30 | Show users younger than 30
  Make it more formal | Make it less formal
  the second largest city | the largest city
  Rewrite: he goes | Rewrite: He goes
  Can I eat this? | May I eat this?
  Wie viele Einwohner hat Bonn? | Wie viele Einwohner hatte Bonn?
  Traduis « oui » en anglais | Traduis « non » en anglais
  ¿Cuántos días tiene mayo? | ¿Cuántos días tiene junio?
  Сколько часов до Казани? | Сколько часов до Рязани?
  What is in front of him? | What is behind him?
  Remind me to call mum | Remind mum to call me
  Do vaccines cause fever? | Why do vaccines cause fever?
  What did the fox say? | What did the fox not say?
  How do I mount a USB drive? | How do I unmount a USB drive?
  Is the shop open on Sunday? | Is the shop closed on Sunday?
  Who teaches Anna? | Who does Anna teach?
  Why was he late? | Why is he late?
  Which drug lowers blood pressure? | Which drug raises blood pressure?
  Write a story with a dragon | Write a story without a dragon
  Give me two reasons to stay | Give me two reasons to leave
  What is the longest river in Asia? | What is the shortest river in Asia?
  Convert 72 F to C | Convert 72 C to F
  Where did she travel from? | Where did she travel to?
  What is 7 minus 3? | What is 3 minus 7?
  Is 2^3 prime? | Is 2*3 prime?
  Can a cat see colour? | Can a dog see colour?
  I was born in 1990 | I was born in 1991
  Remove the first item | Remove the last item
  Is it legal to record a call in Texas? | Is it legal to record a call in Ohio?
  Add a column named id | Add a column named ID2
  What is the population of York? | What is the population of New York?
  How long is the film? | How old is the film?
  Do I have to pay tax? | Do I not have to pay tax?
  What does "lay" mean? | What does "lie" mean?
  Everyone but Tom came | Everyone and Tom came
  Is the answer more than 5? | Is the answer less than 5?
  Show the 5 largest files | Show the 5 smallest files
  Encrypt this file with AES | Decrypt this file with AES
  When does the train from Bonn leave? | When does the train to Bonn leave?
  How do I install Docker on Ubuntu 22.04? | How do I install Docker on Ubuntu 24.04?
  What did Marx think of Hegel? | What did Hegel think of Marx?
  Is he taller than she is? | Is she taller than he is?
  Was the bill passed by the senate? | Was the bill passed by the house?
  What should a vegan eat? | What should a vegetarian eat?
  Round up 3.2 | Round down 3.2
  Explain how it works | Explain why it works
  Only Tom ate the cake | Tom ate only the cake
  Do all swans fly? | Do no swans fly?
  Translate from Dutch to Danish: dag | Translate from Danish to Dutch: dag
  Name a river in Peru | Name a river and a city in Peru
  Rate this 1 to 10 | Rate this 1 to 5
  Did he win or lose? | Did he win and lose?
  What is your name? | What is my name?
`)

describe('the form of a question', () => {
  it.each(ALIKE)('is the same for "%s" and "%s"', (one, other) => {
    expect(key(one)).toBeDefined()
    expect(key(one)).toBe(key(other))
  })

  it.each(APART)('keeps apart "%s" and "%s"', (one, other) => {
    expect(key(one)).toBeDefined()
    expect(key(one)).not.toBe(key(other))
  })

  const FORMS = lines(`
    Could you please tell me the capital of France? | what capital france
    What's France's capital city? | what capital france
    When was Bob killed? | when bob killed past1
    When did Bob kill? | when bob kill past1
    How do I boil two hundred eggs? | howto boil 200 egg
    Is it raining in May? | ?yn it raining in may^
    Give me a list of twenty-one lemons | what 21 lemon
    Please spell "Rhythm" | spell "Rhythm"
    He doesn't like 1,000 x 3 | he do not like 1000 * 3
    What is the US's largest port? | what largest port usa
    Siemens' new plant | what new plant siemens
    the colours of C++ | color @c++
    It cost -5 or 3-5 | it cost -5 or 3 - 5
    Wie heißt das? | wie heißt das
  `)
  it.each(FORMS)('of "%s" is "%s"', (text, form) => {
    expect(key(text)).toBe(form)
  })

  it('compares code, quoted texts and what follows a colon or a line break letter by letter', () => {
    expect(key('Fix this:\nA b')).not.toBe(key('Fix this:\na b'))
    expect(key('What does `x = X` do?')).not.toBe(key('What does `x = x` do?'))
    expect(key("What is 'Aa' here?")).toBe(key('what is "Aa" here'))
    expect(key("What is 'Aa' here?")).not.toBe(key("What is 'aa' here?"))
  })

  it('is none for an empty text and for a document', () => {
    expect([questionForm(''), questionForm(' ?! '), questionForm('x'.repeat(questionCharsMax + 1))]).toEqual(
      new Array(3).fill(undefined),
    )
    expect(questionForm('x'.repeat(questionCharsMax))?.words).toHaveLength(1)
  })

  it.each([
    ['one letter', 'a'],
    ['opening quotes', '“'],
    ['apostrophes', "'"],
    ['possessives', "a's "],
    ['hyphens', 'a-'],
    ['number words', 'twenty '],
    ['signs', '-'],
    ['politeness', 'please '],
    ['past forms', 'ied'],
  ])('takes a hostile text of %s in its stride', (_, part) => {
    const text = part.repeat(Math.floor(questionCharsMax / part.length))
    const started = process.cpuUsage()
    for (let round = 0; round < 5; round += 1) questionForm(text)
    const { user } = process.cpuUsage(started)
    // Five rounds of something quadratic would take seconds of computing, whatever else the machine does.
    expect(user / 1_000).toBeLessThan(1_000)
  })
})

describe('Jaccard', () => {
  it('is what two sets share of what either has', () => {
    expect(jaccard(['a', 'b'], ['b', 'c'])).toBeCloseTo(1 / 3)
    expect(jaccard(['a'], ['a'])).toBe(1)
    expect(jaccard([], [])).toBe(1)
    expect(jaccard(['a'], ['b'])).toBe(0)
  })
})
