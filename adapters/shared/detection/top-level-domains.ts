/** ISO 3166-1 and the other two-letter domains in use. */
const COUNTRIES = 'ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw'
/** The generic ones that carry most mail. */
const GENERIC = 'com org net edu gov mil int info biz name pro mobi app dev cloud online site store tech shop blog email mail xyz club live news agency company digital global group health hospital bank law legal london berlin paris tokyo nyc media network school university solutions studio systems team technology today world arpa aero asia cat coop jobs museum tel travel consulting academy center design engineering finance games house life software space support'
/** Reserved for examples, or names of private networks. Source: RFC 2606, RFC 6762, RFC 8375. */
const PRIVATE = 'example test invalid localhost local internal intranet lan corp home localdomain private'
/** Ends of file names, of systemd units and of code: what looks like a domain and is none. */
const NO_DOMAINS = 'png jpg jpeg gif svg webp ico bmp css scss less js mjs cjs ts tsx jsx json html htm xhtml php asp aspx jsp txt yml yaml toml ini conf cfg xml csv tsv tar tgz gz bz2 xz zst zip rar jar war pdf doc docx xls xlsx ppt pptx log lock exe dll so bin iso img deb rpm apk dmg py rb go rs java class kt swift cpp hpp sql db bak tmp swp map wasm proto service socket timer target mount automount slice scope swap device path svc pod default value length size name type data prototype tostring foreach map min max'

const COUNTRY_DOMAINS = new Set(COUNTRIES.split(' '))
const GENERIC_DOMAINS = new Set(GENERIC.split(' '))
const PRIVATE_DOMAINS = new Set(PRIVATE.split(' '))
const FILES_AND_CODE = new Set(NO_DOMAINS.split(' ').filter((name) => !GENERIC_DOMAINS.has(name) && !COUNTRY_DOMAINS.has(name)))

/** How likely a last label is one of a mail domain, 0 to 1. */
export function domainConfidence(label: string): number {
  const name = label.toLowerCase()
  if (name.length === 2) return COUNTRY_DOMAINS.has(name) ? 0.95 : 0.15
  if (GENERIC_DOMAINS.has(name)) return 0.97
  if (PRIVATE_DOMAINS.has(name)) return 0.65
  if (FILES_AND_CODE.has(name)) return 0.1
  return name.length > 2 && name.length <= 24 ? 0.6 : 0.1
}
