package adbc

import (
	"context"

	"github.com/apache/arrow-adbc/go/adbc"
	"github.com/apache/arrow-go/v18/arrow"
)

// The driver (1.12.0) keeps the rows that a statement has ingested and refuses it every query from then on, before
// anything is sent: "must set IngestTargetTable before bulk ingestion". The suite asks so to see what it has ingested.
// Here such a statement is another one of the driver's from its query on; nothing else is changed.

type mendedDriver struct{ adbc.Driver }

type database interface {
	adbc.Database
	adbc.GetSetOptions
}

type connection interface {
	adbc.Connection
	adbc.GetSetOptions
}

type statement interface {
	adbc.Statement
	adbc.StatementExecuteSchema
	adbc.GetSetOptions
}

type mendedDatabase struct{ database }

type mendedConnection struct{ connection }

type mendedStatement struct {
	statement
	of      connection
	isBound bool
}

func (d mendedDriver) NewDatabase(options map[string]string) (adbc.Database, error) {
	made, err := d.Driver.NewDatabase(options)
	if err != nil {
		return nil, err
	}
	return mendedDatabase{made.(database)}, nil
}

func (d mendedDatabase) Open(ctx context.Context) (adbc.Connection, error) {
	opened, err := d.database.Open(ctx)
	if err != nil {
		return nil, err
	}
	return mendedConnection{opened.(connection)}, nil
}

func (c mendedConnection) NewStatement() (adbc.Statement, error) {
	made, err := c.connection.NewStatement()
	if err != nil {
		return nil, err
	}
	return &mendedStatement{statement: made.(statement), of: c.connection}, nil
}

func (s *mendedStatement) Bind(ctx context.Context, rows arrow.RecordBatch) error {
	s.isBound = true
	return s.statement.Bind(ctx, rows)
}

func (s *mendedStatement) SetSqlQuery(query string) error {
	if s.isBound {
		if err := s.statement.Close(); err != nil {
			return err
		}
		made, err := s.of.NewStatement()
		if err != nil {
			return err
		}
		s.statement, s.isBound = made.(statement), false
	}
	return s.statement.SetSqlQuery(query)
}
