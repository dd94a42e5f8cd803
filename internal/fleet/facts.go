package fleet

// FactType is the type of a fact's value.
type FactType string

// The types of facts.
const (
	FactText   FactType = "text"
	FactNumber FactType = "number"
	FactTruth  FactType = "truth value"
	FactTexts  FactType = "list of texts"
)

// FactDefinition documents a fact that rules may look at.
type FactDefinition struct {
	Name string   `json:"name"`
	Type FactType `json:"type"`
	Text string   `json:"text"`
	// Values, when given, are the only ones.
	Values []string `json:"values,omitempty"`
}

// DataFacts are the facts a Dataset can have, in CEL data.NAME. Besides them
// rules see data.name and data.classes (with all classes inherited).
var DataFacts = []FactDefinition{
	{Name: "secrecy", Type: FactText, Text: "secrecy the law puts on the data", Values: []string{"none", "professional", "banking", "state", "trade"}},
	{Name: "encryption", Type: FactText, Text: "how it is encrypted; end-to-end: nobody at the place can decrypt it", Values: []string{"none", "at-rest", "customer-keys", "end-to-end"}},
	{Name: "pseudonymised", Type: FactTruth, Text: "names are replaced, the key is kept elsewhere"},
	{Name: "sensitive", Type: FactTruth, Text: "holds special categories of personal data"},
	{Name: "important", Type: FactTruth, Text: "important data in the sense of China's Data Security Law"},
	{Name: "minors", Type: FactTruth, Text: "holds data of children"},
	{Name: "subjects", Type: FactNumber, Text: "how many people it is about"},
	{Name: "transferredSubjects", Type: FactNumber, Text: "about how many people data was sent abroad since 1 January"},
	{Name: "collectedIn", Type: FactText, Text: "ISO 3166-1 country where it is collected"},
	{Name: "citizens", Type: FactTexts, Text: "ISO 3166-1 countries whose citizens it is about"},
	{Name: "controllerCountry", Type: FactText, Text: "ISO 3166-1 country where the controller is established"},
	{Name: "controllerKind", Type: FactText, Text: "what the controller is", Values: []string{"private", "public", "critical-infrastructure", "financial", "health"}},
	{Name: "purpose", Type: FactText, Text: "what it is used for, in one word"},
	{Name: "consent", Type: FactTruth, Text: "the people consented to what is done"},
	{Name: "contractWithSubject", Type: FactTruth, Text: "needed for a contract with the people it is about"},
	{Name: "exportControl", Type: FactText, Text: "regime that controls its export", Values: []string{"none", "ear", "itar"}},
	{Name: "retentionMonths", Type: FactNumber, Text: "how many months it is kept"},
}

// RegionFactNames are the facts a Region document can add to what the catalog
// says. Rules see them and the catalog's, in CEL as region.NAME.
var RegionFactNames = []FactDefinition{
	{Name: "certifications", Type: FactTexts, Text: "what the operator is certified or attested for there: C5, HDS, SecNumCloud, CJIS, ISO27001, DPF, …"},
	{Name: "supportedFrom", Type: FactTexts, Text: "ISO 3166-1 countries that staff with access work from"},
}

// CatalogFacts are the facts of every region in a catalog, in CEL region.NAME.
var CatalogFacts = []FactDefinition{
	{Name: "name", Type: FactText, Text: "PROVIDER/ID"},
	{Name: "provider", Type: FactText, Text: "aws, gcp, azure; country for places outside clouds"},
	{Name: "country", Type: FactText, Text: "ISO 3166-1 country it lies in"},
	{Name: "city", Type: FactText, Text: "city it lies in"},
	{Name: "partition", Type: FactText, Text: "the cloud's partition"},
	{Name: "operator", Type: FactText, Text: "legal entity that runs it"},
	{Name: "jurisdictions", Type: FactTexts, Text: "countries whose law reaches the operator"},
}
