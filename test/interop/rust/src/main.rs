//! The Flight SQL client of Arrow for Rust against a cluster with TLS and users.
//!
//! usage: flight-client HOST:PORT CA USER PASSWORD
//! Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    CommandGetDbSchemas, CommandGetPrimaryKeys, CommandGetTables, CommandGetXdbcTypeInfo, CommandStatementIngest,
    EndTransaction, SqlInfo, TableDefinitionOptions, TableExistsOption, TableNotExistOption,
};
use arrow_flight::FlightInfo;
use arrow_schema::{DataType, Field, Schema};
use futures::{future, stream, TryStreamExt};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

const LARGE_ROWS: usize = 1_000_000;

type Client = FlightSqlServiceClient<Channel>;
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

async fn check(failures: &mut u32, what: &str, behaviour: impl Future<Output = Outcome>) {
    match behaviour.await {
        Ok(()) => println!("ok {what}"),
        Err(reason) => {
            *failures += 1;
            println!("not ok {what}\n{reason}");
        }
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(actual: T, expected: T) -> Outcome {
    if actual == expected { Ok(()) } else { Err(format!("{actual:?} instead of {expected:?}").into()) }
}

/// That it failed, with this text.
fn refused<T>(outcome: Outcome<T>, text: &str) -> Outcome {
    match outcome {
        Ok(_) => Err("nothing was refused".into()),
        // what tonic wraps is in the debug form only
        Err(reason) if format!("{reason} {reason:?}").contains(text) => Ok(()),
        Err(reason) => Err(format!("{reason:?} instead of {text}").into()),
    }
}

async fn connect(address: &str, ca: Option<&str>) -> Outcome<Client> {
    let mut tls = ClientTlsConfig::new();
    if let Some(pem) = ca {
        tls = tls.ca_certificate(Certificate::from_pem(pem));
    }
    let channel = Endpoint::from_shared(format!("https://{address}"))?.tls_config(tls)?.connect().await?;
    Ok(Client::new(channel))
}

async fn login(address: &str, ca: &str, user: &str, password: &str) -> Outcome<Client> {
    let mut client = connect(address, Some(ca)).await?;
    client.handshake(user, password).await?;
    Ok(client)
}

/// Rows as the texts of their values.
async fn read(client: &mut Client, info: FlightInfo) -> Outcome<Vec<String>> {
    let mut rows = vec![];
    for endpoint in info.endpoint {
        let ticket = endpoint.ticket.ok_or("no ticket")?;
        let batches: Vec<RecordBatch> = client.do_get(ticket).await?.try_collect().await?;
        for batch in batches {
            for i in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| array_value_to_string(column, i));
                rows.push(cells.collect::<Result<Vec<_>, _>>()?.join("|"));
            }
        }
    }
    Ok(rows)
}

async fn ask(client: &mut Client, sql: &str) -> Outcome<Vec<String>> {
    let info = client.execute(sql.to_string(), None).await?;
    read(client, info).await
}

fn column(name: &str, values: &[i64]) -> Outcome<RecordBatch> {
    let schema = Schema::new(vec![Field::new(name, DataType::Int64, true)]);
    Ok(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(values.to_vec()))])?)
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| value.to_string()).collect()
}

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().collect();
    let (address, user, password) = (&arguments[1][..], &arguments[3][..], &arguments[4][..]);
    let ca = &std::fs::read_to_string(&arguments[2])?[..];
    let mut failed = 0;
    let failures = &mut failed;

    check(failures, "a wrong password is refused as such", async {
        refused(login(address, ca, user, "a guess").await, "wrong user name or password")
    }).await;
    check(failures, "nobody comes in without a login", async {
        refused(ask(&mut connect(address, Some(ca)).await?, "SELECT 1").await, "log in")
    }).await;
    check(failures, "a certificate of an unknown CA is refused", async {
        refused(connect(address, None).await, "UnknownIssuer")
    }).await;

    let own = &mut login(address, ca, user, password).await?;

    check(failures, "a statement gives its rows", async {
        equal(ask(own, "SELECT 42 AS answer, 'a' AS text, NULL AS n, true AS yes").await?, texts(&["42|a||true"]))
    }).await;
    check(failures, "tables are grouped and joined", async {
        let rows = ask(own, "SELECT k, count(*), sum(v) FROM solid GROUP BY k ORDER BY k LIMIT 2").await?;
        equal(rows, texts(&["0|3|15", "1|2|7"]))?;
        equal(ask(own, "SELECT count(*) FROM people p JOIN people b ON p.boss = b.id").await?, texts(&["47"]))
    }).await;
    check(failures, "decimals, days, moments and nested values", async {
        let sql = "SELECT 1.25::DECIMAL(38,4), DATE '2024-02-29', TIMESTAMP '2024-02-29 12:00:00.5',
            [1, 2], {'a': 'x'}";
        equal(ask(own, sql).await?, texts(&["1.2500|2024-02-29|2024-02-29T12:00:00.500|[1, 2]|{a: x}"]))
    }).await;
    check(failures, "text of every script, and of three million characters", async {
        equal(ask(own, "SELECT '日本語 🦆'").await?, texts(&["日本語 🦆"]))?;
        equal(ask(own, "SELECT repeat('abc', 1000000)").await?[0].len(), 3_000_000)
    }).await;
    check(failures, "no message is larger than the 4 MiB that this client takes", async {
        let rows = ask(own, "SELECT i, repeat('x', 3000) FROM range(10000) r(i) ORDER BY i").await?;
        equal(rows.len(), 10_000)
    }).await;
    check(failures, "a row that no message holds is refused with its size", async {
        refused(ask(own, "SELECT repeat('x', 5000000) AS text").await, "a row of 5000004 bytes")
    }).await;
    check(failures, "a million rows come whole", async {
        let rows = ask(own, &format!("SELECT i FROM range({LARGE_ROWS}) r(i) ORDER BY i")).await?;
        equal((rows.len(), &rows[LARGE_ROWS - 1][..]), (LARGE_ROWS, "999999"))
    }).await;
    check(failures, "errors have the text of DuckDB", async {
        refused(ask(own, "SELECT nothing").await, "Binder Error")?;
        refused(ask(own, "SELECT * FROM no_such_table").await, "Catalog Error")
    }).await;
    check(failures, "a row that fails after a million others is an error", async {
        let sql = format!("SELECT CASE WHEN i = {LARGE_ROWS} THEN 'last' ELSE i::VARCHAR END::INTEGER
            FROM range({}) r(i)", LARGE_ROWS + 1);
        refused(ask(own, &sql).await, "Conversion Error")
    }).await;
    check(failures, "a prepared statement runs with several rows of values, and again with others", async {
        let mut statement = own.prepare("SELECT ?::BIGINT * 10 AS v".to_string(), None).await?;
        equal(statement.parameter_schema()?.fields().len(), 1)?;
        equal(statement.dataset_schema()?.field(0).name().clone(), "v".to_string())?;
        for (values, expected) in [(&[1, 2, 3][..], &["10", "20", "30"][..]), (&[7], &["70"])] {
            statement.set_parameters(column("0", values)?)?;
            let info = statement.execute().await?;
            equal(read(own, info).await?, texts(expected))?;
        }
        Ok(statement.close().await?)
    }).await;
    check(failures, "changes run once and tell how many rows they changed", async {
        own.execute_update("CREATE OR REPLACE TABLE work.main.rust (i BIGINT)".to_string(), None).await?;
        equal(own.execute_update("INSERT INTO work.main.rust VALUES (1), (2)".to_string(), None).await?, 2)?;
        equal(own.execute_update("UPDATE work.main.rust SET i = i + 1".to_string(), None).await?, 2)?;
        equal(ask(own, "SELECT sum(i) FROM work.main.rust").await?, texts(&["5"]))
    }).await;
    check(failures, "a prepared change with several rows of values", async {
        let mut statement = own.prepare("INSERT INTO work.main.rust VALUES (?)".to_string(), None).await?;
        statement.set_parameters(column("0", &[10, 20])?)?;
        equal(statement.execute_update().await?, 2)?;
        equal(ask(own, "SELECT sum(i) FROM work.main.rust").await?, texts(&["35"]))
    }).await;
    check(failures, "a transaction is undone or kept as a whole", async {
        for (end, left) in [(EndTransaction::Rollback, "4"), (EndTransaction::Commit, "3")] {
            let id = own.begin_transaction().await?;
            let sql = "DELETE FROM work.main.rust WHERE i = 10".to_string();
            equal(own.execute_update(sql, Some(id.clone())).await?, 1)?;
            own.end_transaction(id, end).await?;
            equal(ask(own, "SELECT count(*) FROM work.main.rust").await?, texts(&[left]))?;
        }
        Ok(())
    }).await;
    check(failures, "rows are loaded, and a table that is there is told", async {
        let options = |exists: TableExistsOption| CommandStatementIngest {
            table_definition_options: Some(TableDefinitionOptions {
                if_not_exist: TableNotExistOption::Create as i32, if_exists: exists as i32,
            }),
            table: "poured".to_string(), schema: Some("main".to_string()), catalog: Some("work".to_string()),
            temporary: false, transaction_id: None, options: HashMap::new(),
        };
        for exists in [TableExistsOption::Replace, TableExistsOption::Append] {
            let rows = stream::iter(vec![Ok(column("i", &[5, 6, 7])?)]);
            equal(own.execute_ingest(options(exists), rows).await?, 3)?;
        }
        equal(ask(own, "SELECT count(*), sum(i) FROM work.main.poured").await?, texts(&["6|36"]))?;
        let rows = stream::iter(vec![Ok::<_, FlightError>(column("i", &[5])?)]);
        let again = own.execute_ingest(options(TableExistsOption::Fail), rows).await;
        refused(again.map_err(Into::into), "poured")
    }).await;
    check(failures, "catalogs, schemas, tables with their columns, and types", async {
        let info = own.get_catalogs().await?;
        equal(read(own, info).await?, texts(&["csvs", "jsons", "lake", "skein", "work"]))?;
        let catalog = Some("lake".to_string());
        let info = own.get_db_schemas(CommandGetDbSchemas { catalog: catalog.clone(), ..Default::default() }).await?;
        equal(read(own, info).await?, texts(&["lake|main"]))?;
        let info = own.get_tables(CommandGetTables {
            catalog, table_name_filter_pattern: Some("s%".to_string()), include_schema: true, ..Default::default()
        }).await?;
        equal(read(own, info).await?.len(), 3)?;
        let info = own.get_table_types().await?;
        equal(read(own, info).await?, texts(&["LOCAL TEMPORARY", "TABLE", "VIEW"]))
    }).await;
    check(failures, "keys, types and what the server is", async {
        let sql = "CREATE OR REPLACE TABLE work.main.locked (a INTEGER, b INTEGER, PRIMARY KEY (a, b))";
        own.execute_update(sql.to_string(), None).await?;
        let info = own.get_primary_keys(CommandGetPrimaryKeys {
            catalog: Some("work".to_string()), db_schema: Some("main".to_string()), table: "locked".to_string(),
        }).await?;
        equal(read(own, info).await?.len(), 2)?;
        let info = own.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: None }).await?;
        equal(read(own, info).await?.len() > 10, true)?;
        let info = own.get_sql_info(vec![SqlInfo::FlightSqlServerName]).await?;
        equal(read(own, info).await?[0].contains("Skein"), true)
    }).await;
    check(failures, "a temporary table is the session's", async {
        own.execute_update("CREATE TEMP TABLE mine AS SELECT 1 AS a".to_string(), None).await?;
        equal(ask(own, "SELECT a FROM mine").await?, texts(&["1"]))?;
        let mut other = login(address, ca, user, password).await?;
        refused(ask(&mut other, "SELECT a FROM mine").await, "mine")
    }).await;
    check(failures, "a stream that is dropped ends its statement", async {
        let info = own.execute("SELECT i FROM range(100000000) r(i)".to_string(), None).await?;
        let ticket = info.endpoint[0].ticket.clone().ok_or("no ticket")?;
        let mut rows = own.do_get(ticket).await?;
        equal(rows.try_next().await?.is_some(), true)?;
        drop(rows);
        equal(ask(own, "SELECT 1").await?, texts(&["1"]))
    }).await;
    check(failures, "statements at once have each its own answer", async {
        let token = own.token().cloned().ok_or("no token")?;
        let answers = future::try_join_all((0..8).map(|i| {
            let mut one = Client::new_from_inner(own.inner().clone());
            one.set_token(token.clone());
            async move { ask(&mut one, &format!("SELECT {i}, count(*) FROM range({})", i * 1000)).await }
        })).await?;
        equal(answers.concat(), (0..8).map(|i| format!("{i}|{}", i * 1000)).collect())
    }).await;
    std::process::exit(if failed > 0 { 1 } else { 0 })
}
