// The validation suite of ADBC, by its driver for Flight SQL in Go, at a cluster: what it asks of whom it tests, its
// quirks, answered for Skein. Environment: SKEIN_FLIGHT (host:port), SKEIN_CA (PEM file), SKEIN_USER, SKEIN_PASSWORD;
// the default catalog must take tables.
package adbc

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/apache/arrow-adbc/go/adbc"
	"github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-adbc/go/adbc/validation"
	"github.com/apache/arrow-go/v18/arrow"
	arrowflight "github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/suite"
)

func TestDatabase(t *testing.T)   { suite.Run(t, &validation.DatabaseTests{Quirks: quirks(t)}) }
func TestConnection(t *testing.T) { suite.Run(t, &validation.ConnectionTests{Quirks: quirks(t)}) }
func TestStatement(t *testing.T)  { suite.Run(t, &validation.StatementTests{Quirks: quirks(t)}) }

// Skein claims all that the suite knows, but for statistics, which no server of Flight SQL is asked for.
type Skein struct {
	options map[string]string
}

func quirks(t *testing.T) *Skein {
	ca, err := os.ReadFile(os.Getenv("SKEIN_CA"))
	if err != nil {
		t.Fatal(err)
	}
	return &Skein{options: map[string]string{
		adbc.OptionKeyURI:            "grpc+tls://" + os.Getenv("SKEIN_FLIGHT"),
		adbc.OptionKeyUsername:       os.Getenv("SKEIN_USER"),
		adbc.OptionKeyPassword:       os.Getenv("SKEIN_PASSWORD"),
		flightsql.OptionSSLRootCerts: string(ca),
	}}
}

func (s *Skein) SetupDriver(*testing.T) adbc.Driver {
	return mendedDriver{flightsql.NewDriver(memory.DefaultAllocator)}
}

func (s *Skein) TearDownDriver(*testing.T, adbc.Driver) {}

// DatabaseOptions gives a copy: the driver takes out what it has read.
func (s *Skein) DatabaseOptions() map[string]string {
	options := make(map[string]string)
	for name, value := range s.options {
		options[name] = value
	}
	return options
}

func (s *Skein) Alloc() memory.Allocator  { return memory.DefaultAllocator }
func (s *Skein) BindParameter(int) string { return "?" }
func (s *Skein) Catalog() string          { return "work" }
func (s *Skein) DBSchema() string         { return "main" }

func (s *Skein) SupportsBulkIngest(string) bool              { return true }
func (s *Skein) SupportsConcurrentStatements() bool          { return true }
func (s *Skein) SupportsCurrentCatalogSchema() bool          { return true }
func (s *Skein) SupportsDynamicParameterBinding() bool       { return true }
func (s *Skein) SupportsErrorIngestIncompatibleSchema() bool { return true }
func (s *Skein) SupportsExecuteSchema() bool                 { return true }
func (s *Skein) SupportsGetParameterSchema() bool            { return true }
func (s *Skein) SupportsGetSetOptions() bool                 { return true }
func (s *Skein) SupportsPartitionedData() bool               { return true }
func (s *Skein) SupportsTransactions() bool                  { return true }

func (s *Skein) SupportsStatistics() bool { return false }

func (s *Skein) GetMetadata(code adbc.InfoCode) interface{} {
	switch code {
	case adbc.InfoDriverName:
		return "ADBC Flight SQL Driver - Go"
	case adbc.InfoDriverVersion, adbc.InfoDriverArrowVersion:
		return "(unknown or development build)"
	case adbc.InfoDriverADBCVersion:
		return adbc.AdbcVersion1_1_0
	case adbc.InfoVendorName:
		return "Skein"
	case adbc.InfoVendorVersion:
		return "0.1.0"
	case adbc.InfoVendorArrowVersion:
		return "21.2.0"
	}
	return nil
}

// CreateSampleTable makes it of the very rows, by ingest.
func (s *Skein) CreateSampleTable(table string, rows arrow.RecordBatch) error {
	return s.within(func(ctx context.Context, connection adbc.Connection) (err error) {
		statement, err := connection.NewStatement()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, statement.Close()) }()
		if err := statement.SetOption(adbc.OptionKeyIngestTargetTable, table); err != nil {
			return err
		}
		if err := statement.Bind(ctx, rows); err != nil {
			return err
		}
		_, err = statement.ExecuteUpdate(ctx)
		return err
	})
}

func (s *Skein) within(use func(context.Context, adbc.Connection) error) (err error) {
	ctx := context.Background()
	database, err := flightsql.NewDriver(memory.DefaultAllocator).NewDatabase(s.DatabaseOptions())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	connection, err := database.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return use(ctx, connection)
}

// SampleTableSchemaMetadata is what drivers read of a column, in the names of Flight SQL, and DuckDB's own type.
func (s *Skein) SampleTableSchemaMetadata(table string, of arrow.DataType) arrow.Metadata {
	values := map[string]string{
		arrowflight.CatalogNameKey: s.Catalog(), arrowflight.SchemaNameKey: s.DBSchema(),
		"ARROW:FLIGHT:SQL:DB_SCHEMA_NAME": s.DBSchema(), arrowflight.TableNameKey: table,
		arrowflight.IsAutoIncrementKey: "0", arrowflight.IsReadOnlyKey: "0", arrowflight.IsSearchableKey: "1",
	}
	if of.ID() == arrow.STRING {
		values["skein.type"], values[arrowflight.TypeNameKey] = "VARCHAR", "VARCHAR"
		values[arrowflight.IsCaseSensitiveKey] = "1"
	} else {
		values["skein.type"], values[arrowflight.TypeNameKey] = "BIGINT", "BIGINT"
		values[arrowflight.IsCaseSensitiveKey] = "0"
		values[arrowflight.PrecisionKey], values[arrowflight.ScaleKey] = "19", "0"
	}
	return arrow.MetadataFrom(values)
}

func (s *Skein) DropTable(connection adbc.Connection, table string) (err error) {
	statement, err := connection.NewStatement()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, statement.Close()) }()
	if err := statement.SetSqlQuery("DROP TABLE IF EXISTS " + table); err != nil {
		return err
	}
	_, err = statement.ExecuteUpdate(context.Background())
	return err
}
