/**
 * Words of column names and what they say, in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and the
 * Nordic languages, and in abbreviations. Words of a phrase may also be written together.
 */
export const PHRASES: Readonly<Record<string, readonly (readonly [confidence: number, phrases: string])[]>> = {
  'pii.email': [
    [0.95, 'email, email address, email adresse, e mail, mail address, email addr, correo electronico, courriel, mailadresse, emailadres, epost, e post, adresse mail, poczta elektroniczna'],
    [0.65, 'mail, eml, correo, posta elettronica'],
  ],
  'pii.phone': [
    [0.92, 'phone, phone number, phone no, telephone, telefon, telefono, telefone, telefonnummer, handynummer, mobilnummer, rufnummer, msisdn, cellphone, cell phone, mobile number, mobile phone, numero telephone, telefoonnummer, telefoon, puhelin, celular, whatsapp, fax, fax number, faxnummer, landline, tel no, telnr'],
    [0.75, 'tel, mobile, mobil, movil, mobiel, handy, phn, contact number, contact no, nr telefonu'], [0.55, 'cell, mob, ph, portable, gsm'],
  ],
  'pii.ssn': [[0.95, 'ssn, social security, social security number, social security no, soc sec, us ssn'], [0.7, 'ssn last 4, ssn last4']],
  'pii.national-id': [
    [0.9, 'national id, national insurance, nino, dni, curp, cpf, personnummer, fodselsnummer, cpr nummer, bsn, burgerservicenummer, pesel, aadhaar, aadhar, nric, codice fiscale, steuer id, steuernummer, sozialversicherungsnummer, numero securite sociale, identity number, id card number, personalausweis, fiscal code, henkilotunnus, personal number, citizen id, national id number, taxvat, tax id, taxpayer id'],
    [0.6, 'nif, nie, nin, cpr, rut, id number, nss, identity document, tin'],
  ],
  'pii.passport': [[0.92, 'passport, passport number, passport no, reisepass, passnummer, passeport, pasaporte, passaporto, paspoort, paszport']],
  'pii.driver-licence': [[0.9, 'driver license, drivers license, driver licence, driving licence, driving license, fuehrerschein, fuhrerschein, permis conduire, licencia conducir, carnet conducir, patente guida, rijbewijs'], [0.5, 'dl number, dl no']],
  'pii.birth-date': [
    [0.95, 'dob, birth date, date of birth, birthday, birth dt, geburtsdatum, geburtstag, fecha nacimiento, fecha de nacimiento, date naissance, date de naissance, data nascita, data di nascita, data nascimento, data de nascimento, geboortedatum, fodelsedatum, fodselsdato, data urodzenia'],
    [0.75, 'birth, born, born on, birth year, year of birth, gebdat, geb datum, fec nac'],
  ],
  'pii.name': [
    [0.92, 'first name, last name, full name, surname, given name, family name, middle name, maiden name, forename, vorname, nachname, familienname, geburtsname, apellido, apellidos, prenom, nom de famille, cognome, sobrenome, voornaam, achternaam, fornamn, efternamn, imie, nazwisko, cardholder name, card holder, cardholder, legal name, customer name, patient name, employee name, person name, contact name, holder name, recipient name, emergency contact, ship name, shipping name, billing name, account holder, owner name, cc owner, card owner, manager name, assistant name, guardian name, comment author, author name'],
    [0.75, 'fname, lname, mname, frst nm, lst nm, first nm, last nm, nombre completo, ansprechpartner, contact person'], [0.6, 'display name, real name, nombre, recipient, beneficiary'],
  ],
  'pii.username': [[0.6, 'username, user name, login, login name, screen name, nickname, benutzername, usuario']],
  'pii.address': [
    [0.88, 'street, street address, address line, address line 1, address line 2, address 1, address 2, addr 1, addr 2, home address, postal address, shipping address, billing address, delivery address, strasse, anschrift, wohnanschrift, direccion, domicilio, calle, adresse postale, indirizzo, endereco, straat, huisnummer, hausnummer, house number, gatuadress, ulica'],
    [0.78, 'address, adresse, adres, adress'], [0.6, 'addr, rue, via, residence'],
  ],
  'pii.postal-code': [[0.8, 'zip, zip code, zipcode, postcode, post code, postal code, plz, postleitzahl, code postal, codigo postal, cod postal, cep, postnummer, kod pocztowy'], [0.55, 'postal, pincode']],
  'pii.gender': [[0.8, 'gender, sex, geschlecht, sexo, sexe, sesso, geslacht, plec']],
  'pii.location': [[0.6, 'latitude, longitude, lat, lng, lon, geolocation, gps, gps position, last location, home location, coordinates']],
  'pii.ip-address': [[0.9, 'ip address, ip addr, ipaddr, client ip, remote addr, remote ip, user ip, source ip, src ip, login ip, last ip, x forwarded for, ipv4, ipv6'], [0.75, 'ip']],
  'pii.card-number': [
    [0.93, 'card number, card no, card num, cardnum, cc number, cc num, cc no, ccnum, credit card, credit card number, debit card, pan, kreditkarte, kreditkartennummer, kartennummer, numero tarjeta, numero carte, carte bancaire, numero cartao, creditcardnummer, primary account number'],
    [0.5, 'card, cc, tarjeta'],
  ],
  'pii.card-verification': [[0.93, 'cvv, cvv 2, cvc, cvc 2, csc, card security code, card verification, security code, pruefziffer karte']],
  'pii.card-expiry': [[0.8, 'card expiry, card expires, card exp, cc exp, cc expiry, card expiration, valid thru, exp month, exp year']],
  'pii.iban': [[0.95, 'iban, iban number, bank iban']],
  'pii.bank-account': [[0.85, 'bank account, account number, account no, acct no, acct num, acct number, bank acct, kontonummer, routing number, sort code, numero cuenta, cuenta bancaria, numero compte, rekeningnummer, blz, bankleitzahl, aba number'], [0.5, 'bic, swift, acct']],
  'pii.salary': [[0.9, 'salary, base salary, annual salary, wage, wages, hourly wage, gehalt, lohn, jahresgehalt, sueldo, salaire, stipendio, salario, salaris, pensja, annual income, compensation'], [0.6, 'income, bonus, pay rate, hourly rate']],
  'pii.health': [[0.85, 'diagnosis, icd, icd 10, blood type, blood group, allergies, allergy, medication, prescription, disability, medical history, medical notes, diagnose, health status, vaccination'], [0.6, 'symptoms, treatment']],
  'pii.sensitive': [[0.85, 'religion, ethnicity, ethnic group, sexual orientation, political party, union member, criminal record, konfession, race'], [0.6, 'nationality, marital status, familienstand, citizenship, staatsangehoerigkeit']],
  'secret.password': [[0.95, 'password, passwd, password hash, password digest, pw hash, passwort, kennwort, contrasena, mot de passe, wachtwoord, haslo, passphrase, encrypted password, hashed password'], [0.75, 'pwd, passcode, password salt, user pass'], [0.55, 'pin, salt, pass']],
  'secret.key': [[0.92, 'api key, apikey, secret key, private key, ssh key, signing key, encryption key, access key, secret access key, client secret, webhook secret, mfa secret, totp secret, otp secret, license key, shared secret']],
  'secret.token': [[0.92, 'access token, refresh token, auth token, api token, session token, bearer token, reset token, id token, oauth token, remember token, csrf token, activation key, jwt, fcm token, device token'], [0.75, 'token, secret, otp, credentials, credential'], [0.5, 'session key, cookie']],
}

/** A column that says something about the thing does not hold it: `email_verified_at`, `phone_type`, `token_count`. */
export const ABOUT = 'verified verify verification confirmed confirmation valid validated enabled disabled optin optout opt in out count counts flag is has was status state type kind template subject format provider domain preference preferences notification notifications bounced bounces unsubscribed subscribed required allowed attempts length size limit brand network color colour label code id ids total version method policy expires expiry expiration scopes scope promotion promotions constraint country'

/** A name, or an address, of these is nobody's. */
export const THINGS = 'product file table column host hostname domain company business org organisation organization department dept team item category event group role schema function app application service device model brand project template field tag plan city country state bank vendor supplier store shop warehouse currency job queue module feature channel campaign course school server mac web url memory wallet contract key index sequence database db package image region bucket class script locale'

/** Tables of people: their `name` is one. */
export const PERSONS = 'person persons people customer customers user users employee employees patient patients member members contact contacts client clients student students staff author authors guest guests passenger passengers applicant applicants candidate candidates subscriber subscribers tenant tenants doctor doctors driver drivers kunde kunden mitarbeiter personen cliente clientes empleado empleados usuario usuarios utilisateur utilisateurs klant klanten medewerker profile profiles donor donors visitor visitors teacher teachers nurse nurses lead leads'

/** Tables of cards: their `number` and `expires` are theirs. */
export const CARDS = 'card cards creditcard creditcards kreditkarten payment_card tarjetas'
