import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Arrow's JDBC driver against a cluster with TLS and users.
 *
 * <p>usage: JdbcBehaviours.java URL USER PASSWORD. Prints one line `ok ...` for each behaviour; ends with status 1 if one
 * of them is not as it should be.
 */
public class JdbcBehaviours {
  interface Behaviour { void run() throws Exception; }

  static int failures = 0;

  static void check(String what, Behaviour behaviour) {
    try {
      behaviour.run();
      System.out.println("ok " + what);
    } catch (Throwable thrown) {
      failures++;
      System.out.println("not ok " + what);
      thrown.printStackTrace(System.out);
    }
  }

  static void equal(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError(actual + " instead of " + expected);
  }

  /** Column `column` of every row as text; closes the result. */
  static List<String> column(ResultSet rows, int column) throws SQLException {
    List<String> values = new ArrayList<>();
    try (rows) {
      while (rows.next()) values.add(rows.getString(column));
    }
    return values;
  }

  static void refused(Behaviour behaviour, String text) throws Exception {
    try {
      behaviour.run();
    } catch (SQLException error) {
      if (String.valueOf(error.getMessage()).contains(text)) return;
      throw error;
    }
    throw new AssertionError("nothing was refused");
  }

  public static void main(String[] words) throws Exception {
    String url = words[0];
    String user = words[1];
    String password = words[2];
    check("a wrong password is refused", () ->
        refused(() -> DriverManager.getConnection(url, user, "wrong horse battery").close(), "wrong user name or password"));
    try (Connection connection = DriverManager.getConnection(url, user, password)) {
      behaviours(connection);
    }
    System.exit(failures == 0 ? 0 : 1);
  }

  static void behaviours(Connection connection) throws Exception {
    check("a statement gives its rows", () -> {
      try (Statement statement = connection.createStatement()) {
        equal(column(statement.executeQuery("SELECT 1 AS x UNION ALL SELECT 2 ORDER BY 1"), 1), List.of("1", "2"));
      }
    });
    check("values have their types", () -> {
      try (Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery("SELECT true, 1::TINYINT, 2::SMALLINT, 3, 4::BIGINT, 1.5::FLOAT, 2.5::DOUBLE, "
              + "1.23::DECIMAL(9,2), 'x', DATE '2024-02-29', 'ab'::BLOB, NULL::INTEGER")) {
        equal(row.next(), true);
        equal(row.getBoolean(1), true);
        equal(row.getByte(2), (byte) 1);
        equal(row.getShort(3), (short) 2);
        equal(row.getInt(4), 3);
        equal(row.getLong(5), 4L);
        equal(row.getFloat(6), 1.5f);
        equal(row.getDouble(7), 2.5);
        equal(row.getBigDecimal(8), new BigDecimal("1.23"));
        equal(row.getString(9), "x");
        equal(row.getDate(10).toString(), "2024-02-29");
        equal(new String(row.getBytes(11)), "ab");
        equal(row.getObject(12), null);
        equal(row.wasNull(), true);
      }
    });
    check("values of DuckDB's other types have a form, too", () -> {
      try (Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery("SELECT 9::HUGEINT, 65535::USMALLINT, 18446744073709551615::UBIGINT, "
              + "TIME '12:34:56.789', TIMESTAMP '2024-02-29 12:00:00.123456', TIMESTAMPTZ '2024-02-29 12:00:00+02', "
              + "INTERVAL 3 DAY, '00112233-4455-6677-8899-aabbccddeeff'::UUID, [1, NULL], {'a': 1}, MAP {'k': 1}, "
              + "'b'::ENUM('a', 'b'), '101'::BIT, NULL")) {
        equal(row.next(), true);
        equal(row.getObject(1), new BigDecimal("9"));
        equal(row.getInt(2), 65535);
        equal(row.getString(3), "18446744073709551615");
        equal(row.getTime(4).toString(), "12:34:56.789");
        equal(row.getObject(5).toString(), "2024-02-29 12:00:00.123456");
        equal(row.getTimestamp(6).toInstant().toString(), "2024-02-29T10:00:00Z");
        equal(row.getObject(7).toString(), "P3D PT0S");
        equal(new BigInteger(row.getBytes(8)).toString(16), "112233445566778899aabbccddeeff");
        equal(Arrays.asList((Object[]) row.getArray(9).getArray()), Arrays.asList(1, null));
        equal(row.getObject(10).toString(), "{\"a\":1}");
        equal(row.getObject(11).toString(), "{\"k\":1}");
        equal(row.getString(12), "b");
        equal(row.getString(13), "101");
        equal(row.getObject(14), null);
      }
    });
    check("a prepared statement is bound and runs again", () -> {
      try (PreparedStatement statement = connection.prepareStatement("SELECT name FROM people WHERE id = ?")) {
        for (int id = 0; id < 3; id++) {
          statement.setInt(1, id);
          equal(column(statement.executeQuery(), 1), List.of("person " + id));
        }
      }
    });
    check("parameters of several types are bound", () -> {
      try (PreparedStatement statement = connection.prepareStatement(
          "SELECT count(*) FROM people WHERE pay > ? AND joined >= ? AND name LIKE ?")) {
        statement.setBigDecimal(1, new BigDecimal("10.50"));
        statement.setDate(2, Date.valueOf("2020-01-01"));
        statement.setString(3, "person%");
        equal(column(statement.executeQuery(), 1).size(), 1);
      }
    });
    check("parameters are described", () -> {
      try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM people WHERE id = ? AND name = ?")) {
        equal(statement.getParameterMetaData().getParameterCount(), 2);
      }
    });
    check("columns of a result are described", () -> {
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("SELECT id, pay, name FROM people")) {
        ResultSetMetaData meta = rows.getMetaData();
        equal(List.of(meta.getColumnName(1), meta.getColumnTypeName(2), meta.getColumnTypeName(3)),
            List.of("id", "DECIMAL", "VARCHAR"));
      }
    });
    DatabaseMetaData meta = connection.getMetaData();
    check("the database is named", () -> equal(meta.getDatabaseProductName(), "Skein"));
    check("catalogs are listed", () -> equal(column(meta.getCatalogs(), 1), List.of("csvs", "jsons", "lake", "skein", "work")));
    check("schemas are listed", () -> equal(column(meta.getSchemas("lake", null), 1), List.of("main")));
    check("tables are listed by pattern and type", () ->
        equal(column(meta.getTables("lake", "main", "peo%", new String[] {"TABLE"}), 3), List.of("people")));
    check("columns are listed with their types", () -> {
      try (ResultSet rows = meta.getColumns("lake", "main", "people", "pay")) {
        equal(rows.next(), true);
        equal(List.of(rows.getString("COLUMN_NAME"), rows.getInt("DATA_TYPE"), rows.getInt("COLUMN_SIZE"),
            rows.getInt("DECIMAL_DIGITS")), List.of("pay", java.sql.Types.DECIMAL, 10, 2));
      }
    });
    check("table types are listed", () -> equal(column(meta.getTableTypes(), 1).contains("TABLE"), true));
    check("keys are asked for, and there are none", () -> {
      equal(column(meta.getPrimaryKeys("lake", "main", "people"), 4), List.of());
      equal(column(meta.getImportedKeys("lake", "main", "people"), 4), List.of());
      equal(column(meta.getExportedKeys("lake", "main", "people"), 4), List.of());
      equal(column(meta.getCrossReference("lake", "main", "people", "lake", "main", "sales"), 4), List.of());
    });
    check("what the SQL can do is told", () -> {
      equal(meta.getIdentifierQuoteString(), "\"");
      equal(meta.supportsOuterJoins(), true);
      equal(meta.supportsUnionAll(), true);
      equal(meta.getSQLKeywords().contains("qualify"), true);
      equal(meta.getNumericFunctions().contains("sqrt"), true);
      equal(meta.getMaxConnections(), 0);
      equal(meta.getMaxStatements(), 1000);
      equal(meta.getMaxStatementLength(), 4 * 1024 * 1024);
      equal(meta.supportsFullOuterJoins() && meta.supportsLimitedOuterJoins(), true);
      equal(meta.supportsIntegrityEnhancementFacility(), true);
      equal(meta.supportsCatalogsInIndexDefinitions() && meta.supportsSchemasInIndexDefinitions(), true);
      equal(meta.supportsConvert(java.sql.Types.TIMESTAMP, java.sql.Types.DATE), true);
      equal(meta.supportsConvert(java.sql.Types.DATE, java.sql.Types.TIME), false);
      equal(meta.getExtraNameCharacters(), "$");
    });
    check("an error is DuckDB's", () -> {
      try (Statement statement = connection.createStatement()) {
        refused(() -> statement.executeQuery("SELECT nope FROM people"), "Referenced column \"nope\"");
      }
    });
    check("a million rows arrive whole", () -> {
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("SELECT i, 'row ' || i FROM range(1000000) t(i)")) {
        long count = 0;
        long sum = 0;
        while (rows.next()) {
          count++;
          sum += rows.getLong(1);
        }
        equal(List.of(count, sum), List.of(1000000L, 499999500000L));
      }
    });
    check("a statement is given up after its time", () -> {
      try (Statement statement = connection.createStatement()) {
        statement.setQueryTimeout(1);
        statement.executeQuery("SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range % 7 = b.range % 5");
        throw new AssertionError("it has ended");
      } catch (SQLException error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
          if (cause instanceof SQLTimeoutException) return;
        }
        throw error;
      }
    });
    check("tables are made and rows inserted, with their number", () -> {
      try (Statement statement = connection.createStatement()) {
        equal(statement.executeUpdate("CREATE TABLE memory.jdbc (a INTEGER PRIMARY KEY, b VARCHAR, c DECIMAL(9,2), d DATE)"), 0);
        equal(statement.executeUpdate("INSERT INTO memory.jdbc VALUES (1, 'x', 1.5, NULL), (2, 'y', NULL, NULL)"), 2);
        equal(statement.executeUpdate("UPDATE memory.jdbc SET b = 'z'"), 2);
        equal(column(statement.executeQuery("SELECT b FROM memory.jdbc"), 1), List.of("z", "z"));
      }
    });
    check("a prepared update is bound by the types of its columns, and runs once", () -> {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO memory.jdbc VALUES (?, ?, ?, ?)")) {
        insert.setInt(1, 3);
        insert.setString(2, "it's");
        insert.setBigDecimal(3, new BigDecimal("12.34"));
        insert.setDate(4, Date.valueOf("2024-02-29"));
        equal(insert.executeUpdate(), 1);
      }
      try (Statement statement = connection.createStatement()) {
        equal(column(statement.executeQuery("SELECT b || ' ' || c || ' ' || d FROM memory.jdbc WHERE a = 3"), 1),
            List.of("it's 12.34 2024-02-29"));
      }
    });
    check("a batch runs once for each of its rows", () -> {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO memory.jdbc (a, b) VALUES (?, ?)")) {
        for (int i = 10; i < 20; i++) {
          insert.setInt(1, i);
          insert.setString(2, "row " + i);
          insert.addBatch();
        }
        insert.executeBatch();
      }
      try (Statement statement = connection.createStatement()) {
        equal(column(statement.executeQuery("SELECT count(*) FROM memory.jdbc WHERE a >= 10"), 1), List.of("10"));
      }
    });
    check("a prepared update that fails has done nothing", () -> {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO memory.jdbc (a) VALUES (?), (1)")) {
        insert.setInt(1, 99);
        refused(insert::executeUpdate, "Duplicate key");
      }
      try (Statement statement = connection.createStatement()) {
        equal(column(statement.executeQuery("SELECT count(*) FROM memory.jdbc WHERE a = 99"), 1), List.of("0"));
      }
    });
    check("a change with RETURNING gives its rows", () -> {
      try (PreparedStatement delete = connection.prepareStatement("DELETE FROM memory.jdbc WHERE a = ? RETURNING b")) {
        delete.setInt(1, 10);
        equal(column(delete.executeQuery(), 1), List.of("row 10"));
      }
    });
    check("the connection is valid after all that", () -> equal(connection.isValid(5), true));
  }
}
