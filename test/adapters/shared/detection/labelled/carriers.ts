/** What values stand in: `%` is the place. `ANY` fits everything; the others say what the value is. */
import type { Entity } from '../../../../../adapters/shared/detection/index.ts'

export const ANY: readonly string[] = [
  '%', '%', '%', ' %', '%\n', '"%"', '(%)', '<%>', '42,%,paid', 'a\t%\tb', '{"value":"%","n":1}', "insert into t values (7, '%', now())", 'old value %, new value null', '%; see above', 'Received % today.', '2024-11-21T10:30:00Z %',
]

export const NAMED: Readonly<Record<Entity, readonly string[]>> = {
  'card-number': ['paid with card %', 'Kreditkarte: %', '{"pan":"%"}', 'card_number=%', 'please charge my visa % exp 12/27', '{"orderId": 4711, "creditCard": "%"}'],
  iban: ['IBAN: %', 'Konto % bei der Bank', '{"iban":"%"}', 'transfer to %, thanks', 'iban=%&bic=COBADEFF'],
  'us-ssn': ['SSN: %', 'social security number %', '{"ssn": "%"}', 'ssn=%', 'Taxpayer %, born 1970-01-02'],
  email: ['mailto:%', 'Contact % for details.', 'From: Ada <%>', '{"email":"%"}', 'email=%', 'cc: Ada Marsh, %'],
  phone: ['call me at %', 'Tel. %', '{"phone":"%"}', 'phoneNumber=%', 'mobile: %, office closed', 'Fax %'],
  'ip-address': ['client % connected', 'ping %', '{"remote_addr":"%"}', 'from % port 22', 'http://%/index.html', 'host=% port=5432'],
  jwt: ['Authorization: Bearer %', '{"access_token":"%"}', 'https://app.example.com/cb?id_token=%', 'token=%'],
  'private-key': ['{"private_key":"%"}', 'key:\n%\nend', 'cat key.pem\n%', 'deploy key is %'],
  'cloud-key': ['export TOKEN=%', '{"key":"%"}', 'api_key: %', 'curl -H "Authorization: token %"', '// old key % (revoked)'],
}
