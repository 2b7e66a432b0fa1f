//! Words that sound like the coast of Asturias. Every combination of them is invented.

/// First names.
pub(super) const FIRST: [&str; 48] = [
    "Adela", "Aida", "Alba", "Andrea", "Azucena", "Belén", "Berta", "Bruno", "Candela", "Carmela", "Ciro", "Covadonga",
    "Dalia", "Diego", "Elba", "Eloy", "Enol", "Eva", "Fidel", "Gadea", "Gaspar", "Gema", "Hugo", "Inés", "Iria",
    "Iyán", "Jimena", "Lucía", "Lluz", "Manuel", "Mara", "Mateo", "Nel", "Nela", "Noel", "Olaya", "Pelayo", "Pilar",
    "Ramón", "Rosario", "Sabino", "Telmo", "Teresa", "Urbano", "Vera", "Xana", "Xurde", "Yago",
];

/// Surnames.
pub(super) const SURNAMES: [&str; 56] = [
    "Acebal", "Alperi", "Arango", "Argüelles", "Bances", "Barro", "Blanco", "Bricia", "Busto", "Cabal", "Canga",
    "Carreño", "Castaño", "Cifuentes", "Cueto", "Cueva", "Deva", "Espina", "Fanjul", "Faro", "Felgueroso", "Granda",
    "Güerres", "Hevia", "Huerta", "Isla", "Junquera", "Lastra", "Llames", "Llano", "Longo", "Marea", "Menéndez",
    "Mieres", "Monte", "Nava", "Noriega", "Ordóñez", "Peón", "Pumar", "Quirós", "Riera", "Roza", "Salas", "Sariego",
    "Sierra", "Solís", "Soto", "Suero", "Tuero", "Uría", "Valdés", "Vega", "Viña", "Zarracina", "Zapico",
];

/// Districts.
pub(super) const DISTRICTS: [&str; 6] = ["Puerto", "Ensanche", "Alto de la Peña", "Arenal", "Vega Baja", "Faro"];

/// Kinds of street.
pub(super) const STREET_KINDS: [&str; 6] = ["Calle", "Avenida", "Plaza", "Paseo", "Travesía", "Camino"];

/// What streets are named after.
pub(super) const STREET_NAMES: [&str; 40] = [
    "de la Ola", "del Rompeolas", "de los Calafates", "de la Sidra Dulce", "del Avellano", "de la Gaviota Gris",
    "del Salitre", "de las Redeiras", "del Faro Viejo", "de la Marea Alta", "de los Tejos", "del Carbayo Mayor",
    "de la Brisa", "del Astillero Nuevo", "de las Mariñas", "del Arenal Blanco", "de la Caracola", "del Nordeste",
    "de la Pleamar", "de los Oricios", "del Molino de Agua", "de la Fábrica de Vidrio", "del Tranvía", "de la Sirena",
    "de las Cigüeñas", "del Helecho", "de la Bocana", "de los Remeros", "del Pósito", "de la Rula Vieja", "del Ancla",
    "de las Lavanderas", "del Hórreo", "de la Cantera", "de los Prados", "del Acantilado", "de la Ribera Verde",
    "del Viento Sur", "de la Campana", "de las Camelias",
];

/// Letters that are never the check letter of a real identity number.
pub(super) const IMPOSSIBLE_LETTERS: [char; 3] = ['I', 'O', 'U'];

/// What people book: the service's id in the city pack, and where.
pub(super) const BOOKED_PLACES: [(&str, &str); 5] = [
    ("sport-facilities", "Piscina del Arenal, calle 3"),
    ("sport-facilities", "Polideportivo del Puerto, pista 2"),
    ("sport-facilities", "Pista de pádel del Faro"),
    ("libraries", "Sala de estudio del Ensanche"),
    ("art-centre", "Taller de grabado"),
];
