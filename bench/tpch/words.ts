/**
 * The value domains of TPC-H that are lists: facts of the specification's section 4.2. Prose columns (comments) are
 * of our own words; only the pairs that queries search for are the specification's: `special … requests`,
 * `Customer … Complaints`, `Customer … Recommends`.
 */

/** Key order matters: a nation's key is its place, with the key of its region. */
export const nations: readonly (readonly [string, number])[] = [
  ['ALGERIA', 0], ['ARGENTINA', 1], ['BRAZIL', 1], ['CANADA', 1], ['EGYPT', 4], ['ETHIOPIA', 0], ['FRANCE', 3],
  ['GERMANY', 3], ['INDIA', 2], ['INDONESIA', 2], ['IRAN', 4], ['IRAQ', 4], ['JAPAN', 2], ['JORDAN', 4], ['KENYA', 0],
  ['MOROCCO', 0], ['MOZAMBIQUE', 0], ['PERU', 1], ['CHINA', 2], ['ROMANIA', 3], ['SAUDI ARABIA', 4], ['VIETNAM', 2],
  ['RUSSIA', 3], ['UNITED KINGDOM', 3], ['UNITED STATES', 1],
]

export const regions: readonly string[] = ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST']

export const segments = words('AUTOMOBILE BUILDING FURNITURE MACHINERY HOUSEHOLD')
export const priorities: readonly string[] = ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW']
export const instructions: readonly string[] = ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN']
export const modes: readonly string[] = ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB']

/** 6 x 5 x 5 part types, 5 x 8 containers. */
export const types = products(
  words('STANDARD SMALL MEDIUM LARGE ECONOMY PROMO'),
  words('ANODIZED BURNISHED PLATED POLISHED BRUSHED'),
  words('TIN NICKEL BRASS STEEL COPPER'),
)
export const containers = products(words('SM LG MED JUMBO WRAP'), words('CASE BOX BAG JAR PKG PACK CAN DRUM'))

/** A part's name is five different ones of these 92. */
export const colours = words(`
  almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon
  chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro
  ghost goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon
  medium metallic midnight mint misty moccasin navajo navy olive orange orchid pale papaya peach peru pink plum powder
  puff purple red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring steel tan thistle
  tomato turquoise violet wheat white yellow`)

/** 1024 phrases of three words each; comments are made of them. None contains `special` or a word with a capital. */
export const phrases = products(
  words('early late quiet heavy plain bright narrow patient second distant careful empty northern daily final mixed'),
  words('letters crates requests ledgers barrels routes invoices harbours'),
  words('wait arrive vanish return settle gather depart remain'),
)

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/)
}

function products(...lists: readonly (readonly string[])[]): readonly string[] {
  return lists.reduce((heads, list) => heads.flatMap(head => list.map(word => `${head} ${word}`.trim())), [''])
}
