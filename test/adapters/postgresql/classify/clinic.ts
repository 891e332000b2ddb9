/**
 * A clinic and its shop, as such databases are: good names, bad names, several languages, and columns that only sound
 * personal. Everybody in it is made up. `CLINIC` says what each classified column should be proposed as.
 */
export const CLINIC_SQL = `
create schema billing; create schema "Altbestand";
create domain email_address as text check (value like '%@%');
create function luhn(body text) returns text language sql immutable as $$
  select body || ((10 - sum(case when (length(body) - i) % 2 = 0 then (d * 2) / 10 + (d * 2) % 10 else d end) % 10) % 10)::text
  from (select i, substr(body, i, 1)::int d from generate_series(1, length(body)) i) digits $$;

create table patients (
  id bigint primary key, first_name text not null, surname varchar(60), dob date, email text, email_verified boolean, email_verified_at timestamptz,
  mobile text, phone_type text, gender char(1), street text, zip varchar(10), city text, ssn text, passport_no text, blood_type text,
  notes text, status text, referral_code text, created_at timestamptz default now(), last_ip inet
);
insert into patients select n, (array['Ada','Bela','Chidi','Dagny'])[1 + n % 4], 'Sampleton' || n, date '1950-01-01' + n * 17, 'patient' || n || '@clinic.example.com', true, now(),
  '+44 20 7946 ' || to_char(n, 'FM0000'), (array['mobile','home'])[1 + n % 2], (array['f','m'])[1 + n % 2], n || ' Harbour Lane', to_char(10000 + n * 37, 'FM00000'), 'Bremen',
  to_char(100 + n, 'FM000') || '-' || to_char(1 + n % 98, 'FM00') || '-' || to_char(1000 + n * 7, 'FM0000'), 'C01X' || to_char(n, 'FM00000'), 'A+',
  case when n % 8 = 0 then 'call wife at anna' || n || '@home.example.org before noon' else 'came on foot, left happy' end, 'active', 'REF-' || n, now(), ('203.0.113.' || n % 250)::inet
  from generate_series(1, 300) n;

create table users (id serial primary key, username text unique, password_hash text, api_key text, avatar_url text, login_count int, locale text, contact text, settings jsonb, session_token text, file_name text, display_color text);
insert into users (username, password_hash, api_key, avatar_url, login_count, locale, contact, settings, session_token, file_name, display_color)
  select 'user' || n, '$2b$10$' || md5(n::text) || substr(md5(n::text || 'x'), 1, 21), 'sk_live_' || substr(md5(n::text), 1, 24), 'https://cdn.example.com/' || n || '.png', n, 'de', 'someone' || n || '@mail.example.net',
  json_build_object('theme', 'dark', 'columns', n), md5(n::text) || md5((n + 1)::text), 'scan-' || n || '.pdf', 'blue' from generate_series(1, 60) n;

create table billing.cards (id int primary key, patient bigint, number text, holder_name text, expires text, cvv text, brand text);
insert into billing.cards select n, n, luhn('400000' || to_char(n * 7919, 'FM000000000')), 'Ada Sampleton' || n, '12/27', to_char(100 + n, 'FM000'), 'visa' from generate_series(1, 50) n;
create table billing.payments (id bigint, ref text, x1 bigint, konto text, amount numeric(10,2), currency char(3), order_number text, tracking_number text, paid_at timestamptz) partition by range (id);
create table billing.payments_1 partition of billing.payments for values from (0) to (100);
create table billing.payments_2 partition of billing.payments for values from (100) to (10000);
insert into billing.payments select n, 'PAY-' || n, luhn('510000' || to_char(n * 104729, 'FM000000000'))::bigint, 'DE' || to_char(98 - (('50010517' || to_char(n, 'FM0000000000') || '131400')::numeric % 97)::int, 'FM00') || '50010517' || to_char(n, 'FM0000000000'), n * 1.5, 'EUR', to_char(4000000 + n, 'FM0000000'), '1Z' || to_char(n, 'FM0000000000'), now() from generate_series(1, 400) n;

create table "Altbestand"."Mitarbeiter" ("PersNr" int, "Vorname" text, "Nachname" text, "Geburtsdatum" date, "TelefonNr" text, "Strasse" text, "PLZ" text, "Gehalt" numeric(10,2), "EMail" email_address, "Abteilung" text);
insert into "Altbestand"."Mitarbeiter" select n, 'Uwe', 'Musterfrau' || n, date '1960-02-01' + n, '0421/' || to_char(4000000 + n, 'FM0000000'), 'Am Wall ' || n, '28195', 3000 + n, 'mitarbeiter' || n || '@firma.example.de', 'IT' from generate_series(1, 40) n;

create table products (sku text primary key, name text, ean text, price numeric, version text, weight_kg numeric, supplier_address_count int);
insert into products select 'SKU-' || n, 'Lamp ' || n, '40' || to_char(n * 7919, 'FM00000000000'), n, n || '.0.' || n, n, n from generate_series(1, 30) n;
create table access_log (ts timestamptz, src text, user_agent text, path text, request_id uuid, bytes int, authorization_header text);
insert into access_log select now(), '198.51.' || n % 100 || '.' || 20 + n % 200, 'Mozilla/5.0 Chrome/120.0.0.0', '/orders/' || n, gen_random_uuid(), n,
  'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.' || md5(n::text) || md5(n::text || 'y') from generate_series(1, 25000) n;
create table empty_people (id int, full_name text, date_of_birth date, passport_number text, favourite_color text);
create view patient_contacts as select email, mobile from patients;
analyze;
`

/** Column → the class that a person would give it. */
export const CLINIC: Readonly<Record<string, string>> = {
  'public.patients.first_name': 'pii.name', 'public.patients.surname': 'pii.name', 'public.patients.dob': 'pii.birth-date', 'public.patients.email': 'pii.email',
  'public.patients.mobile': 'pii.phone', 'public.patients.gender': 'pii.gender', 'public.patients.street': 'pii.address', 'public.patients.zip': 'pii.postal-code',
  'public.patients.ssn': 'pii.ssn', 'public.patients.passport_no': 'pii.passport', 'public.patients.blood_type': 'pii.health', 'public.patients.notes': 'pii.email', 'public.patients.last_ip': 'pii.ip-address',
  'public.users.username': 'pii.username', 'public.users.password_hash': 'secret.password', 'public.users.api_key': 'secret.key', 'public.users.contact': 'pii.email', 'public.users.session_token': 'secret.token',
  'billing.cards.number': 'pii.card-number', 'billing.cards.holder_name': 'pii.name', 'billing.cards.expires': 'pii.card-expiry', 'billing.cards.cvv': 'pii.card-verification',
  'billing.payments.x1': 'pii.card-number', 'billing.payments.konto': 'pii.iban',
  'Altbestand.Mitarbeiter.Vorname': 'pii.name', 'Altbestand.Mitarbeiter.Nachname': 'pii.name', 'Altbestand.Mitarbeiter.Geburtsdatum': 'pii.birth-date', 'Altbestand.Mitarbeiter.TelefonNr': 'pii.phone',
  'Altbestand.Mitarbeiter.Strasse': 'pii.address', 'Altbestand.Mitarbeiter.PLZ': 'pii.postal-code', 'Altbestand.Mitarbeiter.Gehalt': 'pii.salary', 'Altbestand.Mitarbeiter.EMail': 'pii.email',
  'public.access_log.src': 'pii.ip-address', 'public.access_log.authorization_header': 'secret.token',
  'public.empty_people.full_name': 'pii.name', 'public.empty_people.date_of_birth': 'pii.birth-date', 'public.empty_people.passport_number': 'pii.passport',
}

/** Beginnings and pieces of values that no output may hold. */
export const VALUES = [
  'patient1', '@clinic', 'Sampleton', '7946', 'Harbour', '101-02', 'C01X', 'anna8', 'happy', '203.0.113', 'sk_live', '$2b$10', 'someone', 'cdn.example', 'md5', 'scan-1', '400000000', '5100000', '50010517', 'Musterfrau', 'firma.example', '0421/', 'Am Wall', 'Lamp', '198.51', 'eyJ', 'Mozilla', 'Bremen', 'REF-1',
]
