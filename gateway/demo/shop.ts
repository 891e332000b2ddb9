/**
 * The shop of the demo. Everybody in it is made up: mail domains are those of RFC 2606, telephone numbers are of ranges set
 * aside for fiction, and card numbers are digits that mean nothing.
 */
export const SHOP_SQL = `
create table people (id int primary key, name text not null, email text not null unique, phone text, born date, city text);
create table cards (id int primary key, person int not null references people, number text not null, expires date, credit numeric(10,2));
create table products (sku text primary key, name text not null, price numeric(10,2) not null);
create table orders (
  id int primary key, person int not null references people, product text not null references products, quantity int not null,
  status text not null check (status in ('paid', 'packed', 'shipped', 'refunded')), placed timestamptz not null
);
insert into people values
  (1, 'Ada Marsh', 'ada.marsh@example.com', '+44 20 7946 0018', '1984-03-07', 'London'),
  (2, 'Bela Novak', 'bela.novak@example.org', '+1 202 555 0142', '1979-11-30', 'Budapest'),
  (3, 'Chidi Okoro', 'chidi@example.net', '+1 202 555 0199', '1991-06-21', 'Lagos'),
  (4, 'Dagny Holm', 'dagny.holm@example.com', '+44 20 7946 0431', '1968-01-15', 'Oslo'),
  (5, 'Emre Kaya', 'emre.kaya@example.org', '+1 303 555 0117', '1995-09-02', 'Izmir'),
  (6, 'Fumiko Ito', 'fumiko@example.net', '+44 113 496 0245', '1988-12-24', 'Osaka'),
  (7, 'Gita Rao', 'gita.rao@example.com', '+1 415 555 0186', '1973-04-18', 'Pune'),
  (8, 'Hugo Blanc', 'hugo.blanc@example.org', '+44 117 496 0733', '1999-08-09', 'Lyon'),
  (9, 'Ines Duarte', 'ines@example.net', '+1 617 555 0124', '1982-02-28', 'Porto'),
  (10, 'Jonas Weber', 'jonas.weber@example.com', '+44 131 496 0512', '1990-10-11', 'Bremen'),
  (11, 'Keira Walsh', 'keira.walsh@example.org', '+1 206 555 0161', '1977-07-05', 'Cork'),
  (12, 'Luca Ferri', 'luca@example.net', '+44 161 496 0904', '2001-05-19', 'Turin');
insert into cards values
  (1, 1, '4000001234567899', '2028-05-01', 1500), (2, 2, '5100009876543211', '2027-01-01', 900),
  (3, 3, '4000005555555556', '2029-09-01', 4200), (4, 4, '4000007310284417', '2027-11-01', 2500),
  (5, 5, '5100004028817733', '2028-02-01', 600), (6, 6, '4000009916042285', '2030-06-01', 3100),
  (7, 7, '5100001770463928', '2028-08-01', 1200), (8, 8, '4000002863950174', '2027-03-01', 800),
  (9, 9, '4000006618420937', '2029-12-01', 2000), (10, 10, '5100008305719462', '2028-10-01', 1750),
  (11, 11, '4000003749208856', '2027-07-01', 950), (12, 12, '5100005592017340', '2030-01-01', 500),
  (13, 1, '5100002246891305', '2029-04-01', 5000), (14, 6, '4000008157326691', '2028-12-01', 400);
insert into products values
  ('lamp', 'Reading lamp', 39.90), ('chair', 'Oak chair', 120), ('desk', 'Standing desk', 310.50), ('rug', 'Wool rug', 85),
  ('kettle', 'Kettle', 29.99), ('shelf', 'Wall shelf', 54.20), ('clock', 'Kitchen clock', 18.75), ('vase', 'Glass vase', 22.40);
insert into orders
  select n, 1 + (n * 7) % 12, (array['lamp', 'chair', 'desk', 'rug', 'kettle', 'shelf', 'clock', 'vase'])[1 + (n * 5) % 8], 1 + n % 3,
    case when n <= 14 then 'shipped' when n <= 22 then 'packed' else 'paid' end,
    timestamptz '2026-11-01 08:00+00' + n * interval '11 hours 17 minutes'
  from generate_series(1, 30) as n;
`
