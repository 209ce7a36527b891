// The Flight SQL client of Arrow for Go against a cluster with TLS and users.
//
// usage: client HOST:PORT CA USER PASSWORD
// Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

const largeRows = 1_000_000

var failures = 0

func check(what string, behaviour func()) {
	defer func() {
		if reason := recover(); reason != nil {
			failures++
			fmt.Printf("not ok %s\n%v\n", what, reason)
		}
	}()
	behaviour()
	fmt.Printf("ok %s\n", what)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func equal(actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("%#v instead of %#v", actual, expected))
	}
}

func refused(err error, code codes.Code, text string) {
	if err == nil {
		panic("nothing was refused")
	}
	if !strings.Contains(err.Error(), text) || status.Code(err) != code {
		panic(fmt.Sprintf("%v: %v instead of %v with %q", err, status.Code(err), code, text))
	}
}

func connect(address string, pool *x509.CertPool) *flightsql.Client {
	trust := grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool}))
	return must(flightsql.NewClient(address, nil, nil, trust))
}

// Rows as the texts of their values; the error is of whatever failed first.
func read(ctx context.Context, client *flightsql.Client, info *flight.FlightInfo) ([]string, error) {
	rows := []string{}
	for _, endpoint := range info.Endpoint {
		reader, err := client.DoGet(ctx, endpoint.Ticket)
		if err != nil {
			return rows, err
		}
		for reader.Next() {
			batch := reader.RecordBatch()
			for i := 0; i < int(batch.NumRows()); i++ {
				cells := []string{}
				for _, column := range batch.Columns() {
					cells = append(cells, column.ValueStr(i))
				}
				rows = append(rows, strings.Join(cells, "|"))
			}
		}
		err = reader.Err()
		reader.Release()
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func main() {
	address, user, password := os.Args[1], os.Args[3], os.Args[4]
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(must(os.ReadFile(os.Args[2])))
	client := connect(address, pool)
	ctx := context.Background()

	check("a wrong password is refused as such", func() {
		_, err := client.Client.AuthenticateBasicToken(ctx, user, "a guess")
		refused(err, codes.Unauthenticated, "wrong user name or password")
	})
	check("nobody comes in without a login", func() {
		_, err := client.Execute(ctx, "SELECT 1")
		refused(err, codes.Unauthenticated, "log in")
	})
	check("a certificate of an unknown CA is refused", func() {
		_, err := connect(address, x509.NewCertPool()).Execute(ctx, "SELECT 1")
		refused(err, codes.Unavailable, "certificate")
	})
	nobody := ctx
	ctx = must(client.Client.AuthenticateBasicToken(ctx, user, password))
	ask := func(sql string) ([]string, error) {
		info, err := client.Execute(ctx, sql)
		if err != nil {
			return nil, err
		}
		return read(ctx, client, info)
	}

	check("a statement gives its rows", func() {
		equal(must(ask("SELECT 42 AS answer, 'a' AS text, NULL AS n, true AS yes")), []string{"42|a|(null)|true"})
	})
	check("tables are grouped and joined", func() {
		equal(must(ask("SELECT k, count(*), sum(v) FROM solid GROUP BY k ORDER BY k LIMIT 2")), []string{"0|3|15", "1|2|7"})
		equal(must(ask("SELECT count(*) FROM people p JOIN people b ON p.boss = b.id")), []string{"47"})
	})
	check("decimals, days, moments and nested values", func() {
		equal(must(ask(`SELECT 1.25::DECIMAL(38,4), DATE '2024-02-29', TIMESTAMP '2024-02-29 12:00:00.5',
			[1, 2], {'a': 'x'}`)), []string{`1.25|2024-02-29|2024-02-29T12:00:00.5|[1,2]|{"a":"x"}`})
	})
	check("text of every script, and long", func() {
		equal(must(ask("SELECT '日本語 🦆'")), []string{"日本語 🦆"})
		equal(len(must(ask("SELECT repeat('abc', 1000000)"))[0]), 3_000_000)
	})
	check("a million rows come whole", func() {
		rows := must(ask(fmt.Sprintf("SELECT i FROM range(%d) r(i) ORDER BY i", largeRows)))
		equal([]any{len(rows), rows[largeRows-1]}, []any{largeRows, fmt.Sprint(largeRows - 1)})
	})
	check("errors have the code and the text of DuckDB", func() {
		_, err := ask("SELECT nothing")
		refused(err, codes.InvalidArgument, "Binder Error")
		_, err = ask("SELECT * FROM no_such_table")
		refused(err, codes.NotFound, "Catalog Error")
	})
	check("a row that fails after a million others is an error", func() {
		_, err := ask(fmt.Sprintf(`SELECT CASE WHEN i = %d THEN 'last' ELSE i::VARCHAR END::INTEGER
			FROM range(%d) r(i)`, largeRows, largeRows+1))
		refused(err, codes.InvalidArgument, "Conversion Error")
	})
	check("the columns of a statement are told without running it", func() {
		result := must(client.GetExecuteSchema(ctx, "SELECT id, name FROM people"))
		schema := must(flight.DeserializeSchema(result.GetSchema(), memory.DefaultAllocator))
		equal([]string{schema.Field(0).Name, schema.Field(0).Type.String(), schema.Field(1).Type.String()},
			[]string{"id", "int32", "utf8"})
	})
	check("a prepared statement runs with several rows of values, and again with others", func() {
		statement := must(client.Prepare(ctx, "SELECT ?::BIGINT * 10 AS v"))
		equal(statement.ParameterSchema().NumFields(), 1)
		for _, values := range [][]int64{{1, 2, 3}, {7}} {
			statement.SetParameters(column("0", values))
			expected := []string{}
			for _, value := range values {
				expected = append(expected, fmt.Sprint(value*10))
			}
			equal(must(read(ctx, client, must(statement.Execute(ctx)))), expected)
		}
		if err := statement.Close(ctx); err != nil {
			panic(err)
		}
	})
	check("changes run once and tell how many rows they changed", func() {
		must(client.ExecuteUpdate(ctx, "CREATE OR REPLACE TABLE work.main.go (i BIGINT)"))
		equal(must(client.ExecuteUpdate(ctx, "INSERT INTO work.main.go VALUES (1), (2)")), int64(2))
		equal(must(client.ExecuteUpdate(ctx, "UPDATE work.main.go SET i = i + 1")), int64(2))
		equal(must(ask("SELECT sum(i) FROM work.main.go")), []string{"5"})
	})
	check("a prepared change with several rows of values", func() {
		statement := must(client.Prepare(ctx, "INSERT INTO work.main.go VALUES (?)"))
		isUpdate, known := statement.IsUpdate()
		equal([]bool{isUpdate, known}, []bool{true, true})
		statement.SetParameters(column("0", []int64{10, 20}))
		equal(must(statement.ExecuteUpdate(ctx)), int64(2))
		equal(must(ask("SELECT sum(i) FROM work.main.go")), []string{"35"})
	})
	check("a transaction is undone or kept as a whole", func() {
		for _, isKept := range []bool{false, true} {
			transaction := must(client.BeginTransaction(ctx))
			equal(must(transaction.ExecuteUpdate(ctx, "DELETE FROM work.main.go WHERE i = 10")), int64(1))
			if isKept {
				must(0, transaction.Commit(ctx))
			} else {
				must(0, transaction.Rollback(ctx))
				equal(must(ask("SELECT count(*) FROM work.main.go")), []string{"4"})
			}
		}
		equal(must(ask("SELECT count(*) FROM work.main.go")), []string{"3"})
	})
	check("rows are loaded, and a table that is there is told", func() {
		ingest := func(exists flightsql.TableDefinitionOptionsTableExistsOption) (int64, error) {
			batch := column("i", []int64{5, 6, 7})
			reader := must(array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch}))
			catalog, schema := "work", "main"
			return client.ExecuteIngest(ctx, reader, &flightsql.ExecuteIngestOpts{
				TableDefinitionOptions: &flightsql.TableDefinitionOptions{
					IfNotExist: flightsql.TableDefinitionOptionsTableNotExistOptionCreate, IfExists: exists,
				},
				Table: "loaded", Catalog: &catalog, Schema: &schema,
			})
		}
		equal(must(ingest(flightsql.TableDefinitionOptionsTableExistsOptionReplace)), int64(3))
		equal(must(ingest(flightsql.TableDefinitionOptionsTableExistsOptionAppend)), int64(3))
		equal(must(ask("SELECT count(*), sum(i) FROM work.main.loaded")), []string{"6|36"})
		_, err := ingest(flightsql.TableDefinitionOptionsTableExistsOptionFail)
		refused(err, codes.AlreadyExists, "loaded")
	})
	check("catalogs, schemas, tables with their columns, and types", func() {
		equal(must(read(ctx, client, must(client.GetCatalogs(ctx)))), []string{"csvs", "jsons", "lake", "skein", "work"})
		lake, pattern := "lake", "s%"
		schemas := must(client.GetDBSchemas(ctx, &flightsql.GetDBSchemasOpts{Catalog: &lake}))
		equal(must(read(ctx, client, schemas)), []string{"lake|main"})
		tables := must(client.GetTables(ctx, &flightsql.GetTablesOpts{
			Catalog: &lake, TableNameFilterPattern: &pattern, TableTypes: []string{"TABLE"}, IncludeSchema: true,
		}))
		rows := must(read(ctx, client, tables))
		equal(len(rows), 3)
		equal(strings.HasPrefix(rows[0], "lake|main|sales|TABLE|"), true)
		equal(must(read(ctx, client, must(client.GetTableTypes(ctx)))), []string{"LOCAL TEMPORARY", "TABLE", "VIEW"})
	})
	check("keys, types and what the server is", func() {
		must(client.ExecuteUpdate(ctx, "CREATE OR REPLACE TABLE work.main.keyed (a INTEGER, b INTEGER, PRIMARY KEY (a, b))"))
		catalog, schema := "work", "main"
		keys := must(client.GetPrimaryKeys(ctx, flightsql.TableRef{Catalog: &catalog, DBSchema: &schema, Table: "keyed"}))
		equal(len(must(read(ctx, client, keys))), 2)
		equal(len(must(read(ctx, client, must(client.GetXdbcTypeInfo(ctx, nil))))) > 10, true)
		info := must(client.GetSqlInfo(ctx, []flightsql.SqlInfo{flightsql.SqlInfoFlightSqlServerName}))
		equal(strings.Contains(must(read(ctx, client, info))[0], "Skein"), true)
	})
	check("a temporary table is the session's, and ends with it", func() {
		must(client.ExecuteUpdate(ctx, "CREATE TEMP TABLE mine AS SELECT 1 AS a"))
		equal(must(ask("SELECT a FROM mine")), []string{"1"})
		other := must(client.Client.AuthenticateBasicToken(nobody, user, password))
		_, err := client.Execute(other, "SELECT a FROM mine")
		refused(err, codes.NotFound, "mine")
		must(client.CloseSession(other, &flight.CloseSessionRequest{}))
	})
	check("a statement that is cancelled has no rows any more", func() {
		info := must(client.Execute(ctx, "SELECT i FROM range(100000000) r(i)"))
		result := must(client.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info}))
		equal(result.Status == flight.CancelStatusCancelled || result.Status == flight.CancelStatusCancelling, true)
		_, err := read(ctx, client, info)
		equal(err != nil, true)
	})
	check("a context that is cancelled ends its statement", func() {
		own, cancel := context.WithCancel(ctx)
		info := must(client.Execute(own, "SELECT i FROM range(100000000) r(i)"))
		reader := must(client.DoGet(own, info.Endpoint[0].Ticket))
		equal(reader.Next(), true)
		cancel()
		for reader.Next() {
		}
		refused(reader.Err(), codes.Canceled, "")
		equal(must(ask("SELECT 1")), []string{"1"})
	})
	check("statements at once have each its own answer", func() {
		var all sync.WaitGroup
		answers := make([]string, 8)
		for i := range answers {
			all.Go(func() {
				if rows, err := ask(fmt.Sprintf("SELECT %d, count(*) FROM range(%d)", i, i*1000)); err == nil {
					answers[i] = rows[0]
				}
			})
		}
		all.Wait()
		for i, answer := range answers {
			equal(answer, fmt.Sprintf("%d|%d", i, i*1000))
		}
	})
	if failures > 0 {
		os.Exit(1)
	}
}

func column(name string, values []int64) arrow.RecordBatch {
	builder := array.NewInt64Builder(memory.DefaultAllocator)
	builder.AppendValues(values, nil)
	schema := arrow.NewSchema([]arrow.Field{{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{builder.NewArray()}, int64(len(values)))
}
