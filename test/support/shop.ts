/** A small shop with made-up people, cards and orders, as the tests and the demo use it. */
export const SHOP_SQL = `
create table people (id int primary key, name text not null, email text unique, phone text, born date);
create table cards (id int primary key, person int references people, number text not null, expires date, credit numeric(10,2));
create table orders (id serial primary key, person int references people, item text not null, amount numeric(10,2) not null, placed timestamptz default now());
insert into people values
  (1, 'Ada Marsh', 'ada.marsh@example.com', '+44 20 7946 0018', '1984-03-07'),
  (2, 'Bela Novak', 'bela.novak@example.org', '+36 1 555 0142', '1979-11-30'),
  (3, 'Chidi Okoro', 'chidi@example.net', '+234 1 555 0199', '1991-06-21');
insert into cards values (1, 1, '4000001234567899', '2028-05-01', 1500), (2, 2, '5100009876543211', '2027-01-01', 900), (3, 3, '4000005555555556', '2029-09-01', 4200);
insert into orders (person, item, amount) values (1, 'lamp', 39.90), (1, 'chair', 120), (2, 'desk', 310.50), (3, 'rug', 85), (3, 'kettle', 29.99);
create view buyers as select p.id, p.email, count(o.*) as orders from people p join orders o on o.person = p.id group by p.id, p.email;
`

/** Values that must never reach a client under the masks of the tests. */
export const SECRETS = ['ada.marsh', 'bela.novak', 'chidi@', '7946 0018', '555 0142', '555 0199', '4000001234567899', '5100009876543211', '4000005555555556']

export const SHOP_RULES = {
  'allow-reads': `command.action in ['read', 'session', 'transaction', 'prepare', 'explain'] and command.fidelity = 'parsed' ? { "effect": "allow", "reason": "reading is allowed" }`,
  'allow-bounded-writes': `command.action in ['insert', 'update', 'delete'] and $not(command.sql.unbounded) and command.fidelity = 'parsed' ? { "effect": "allow", "reason": "bounded writes are allowed" }`,
  'block-unbounded': `command.sql.unbounded ? { "effect": "block", "reason": "a write needs a WHERE that restricts it" }`,
  'block-drop': `'drop' in command.actions ? { "effect": "block", "reason": "dropping is not allowed here" }`,
  'hold-payments': `'public.cards' in command.sql.writes ? { "effect": "await-approval", "reason": "changing cards needs a second person", "approvers": ["group:reviewers"], "timeout": 30 }`,
  'mask-personal': `$not('pii' in identity.groups) ? { "effect": "mask", "reason": "personal data", "columns": { "public.people.email": "partial", "public.people.phone": "fixed", "public.people.born": "partial", "public.cards.number": "partial" } }`,
}
