import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nameEvidence, tokensOf } from '../../../../adapters/postgresql/classify/name-evidence.ts'
import type { TypeKind } from '../../../../adapters/postgresql/classify/data-class.ts'

/** Text columns of well-known sample and application schemas, after a `|` those that hold nothing personal. */
const SCHEMAS = `
customer: first_name=pii.name last_name=pii.name email=pii.email | store_id activebool notes
address: address=pii.address address2=pii.address postal_code=pii.postal-code phone=pii.phone | district city_id
staff: username=pii.username password=secret.password | picture
customers: contact_name=pii.name fax=pii.phone address=pii.address | company_name contact_title region
orders: ship_name=pii.name ship_address=pii.address ship_postal_code=pii.postal-code | ship_country order_number tracking_number
employees: home_phone=pii.phone birth_date=pii.birth-date | title extension photo_path title_of_courtesy
person: firstname=pii.name middlename=pii.name lastname=pii.name | persontype namestyle suffix rowguid emailpromotion
emailaddress: emailaddress=pii.email
personphone: phonenumber=pii.phone | phonenumbertypeid
password: passwordhash=secret.password passwordsalt=secret.password
creditcard: cardnumber=pii.card-number expmonth=pii.card-expiry | cardtype
employee: nationalidnumber=pii.national-id gender=pii.gender maritalstatus=pii.sensitive | loginid jobtitle
wp_users: user_login=pii.username user_pass=secret.password user_email=pii.email | user_url user_status user_registered
wp_comments: comment_author=pii.name comment_author_email=pii.email comment_author_ip=pii.ip-address | comment_agent comment_content
user_entity: email=pii.email username=pii.username | email_verified email_constraint realm_id
sales_order: customer_email=pii.email customer_firstname=pii.name customer_dob=pii.birth-date customer_taxvat=pii.national-id remote_ip=pii.ip-address | coupon_code
quote_payment: cc_owner=pii.name cc_number_enc=pii.card-number cc_exp_month=pii.card-expiry | cc_type po_number
personal_access_tokens: token=secret.token | tokenable_type name abilities
leads: mobile_phone=pii.phone | lead_source salutation do_not_call
contacts: assistant_name=pii.name mailing_street=pii.address other_phone=pii.phone
events: device_token=secret.token | event_name ip_country page_path
servers: ip_addr=pii.ip-address | hostname mac_addr ssh_port file_name
invoices: billing_address=pii.address billing_zip=pii.postal-code | invoice_number description
kunden: Vorname=pii.name E-Mail-Adresse=pii.email Straße=pii.address PLZ=pii.postal-code Geburtsname=pii.name Kontonummer=pii.bank-account IBAN=pii.iban | Bestellnummer Farbe
clientes: correo_electronico=pii.email teléfono=pii.phone apellidos=pii.name dirección=pii.address | pedido
products: | name sku title price brand_name product_name supplier_address_type`

const LEAST = 0.5

function believed(table: string, column: string, kind: TypeKind = 'text'): string | undefined {
  const evidence = nameEvidence(table, column, kind)
  return evidence === undefined || evidence.confidence < LEAST ? undefined : evidence.class
}

describe('what names of columns say', () => {
  for (const line of SCHEMAS.trim().split('\n')) {
    const [table = '', columns = ''] = line.split(/: ?/)
    test(`is understood in ${table}`, () => {
      const [personal = '', other = ''] = columns.split('|')
      for (const pair of personal.trim().split(' ').filter(Boolean)) {
        const [column = '', expected] = pair.split('=')
        assert.equal(believed(table, column), expected, `${table}.${column}`)
      }
      for (const column of other.trim().split(' ').filter(Boolean)) assert.equal(believed(table, column), undefined, `${table}.${column}`)
    })
  }

  test('is not believed of a type that cannot hold it', () => {
    assert.equal(believed('users', 'email', 'boolean'), undefined)
    assert.equal(believed('users', 'phone', 'timestamp'), undefined)
    assert.equal(believed('users', 'phone', 'number'), 'pii.phone')
    assert.equal(believed('users', 'lat', 'number'), 'pii.location')
    assert.equal(believed('users', 'dob', 'date'), 'pii.birth-date')
  })

  test('depends on the table where the column alone says little', () => {
    assert.equal(believed('patients', 'name'), 'pii.name')
    assert.equal(believed('planets', 'name'), undefined)
    assert.equal(believed('cards', 'number'), 'pii.card-number')
    assert.equal(believed('houses', 'number'), undefined)
  })

  test('is read word by word, however words are joined', () => {
    assert.deepEqual(['customerEMail2', 'HTTPServer', 'e-mail', 'Straße', 'addr_line1', '__x__'].map(tokensOf), [['customer', 'email', '2'], ['http', 'server'], ['email'], ['strasse'], ['addr', 'line', '1'], ['x']])
  })
})
