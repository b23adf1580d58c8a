using Runbooks.Model.Storage;
using Runbooks.Sqlite.Store;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Sqlite.Tests.Store;

public sealed class SqliteIncidentStoreContract : IncidentStoreContract, IDisposable
{
    private readonly DataFolder _data = new();

    public SqliteIncidentStoreContract() => Store = new SqliteIncidentStore(_data.Database);

    protected override IIncidentStore Store { get; }

    public void Dispose() => _data.Dispose();
}

public sealed class SqliteIncidentListingContract : IncidentListingContract, IDisposable
{
    private readonly DataFolder _data = new();

    public SqliteIncidentListingContract() => Store = new SqliteIncidentStore(_data.Database);

    protected override IIncidentStore Store { get; }

    public void Dispose() => _data.Dispose();
}

public sealed class SqliteDecisionRaceContract : DecisionRaceContract, IDisposable
{
    private readonly DataFolder _data = new();

    public SqliteDecisionRaceContract() => Store = new SqliteIncidentStore(_data.Database);

    protected override IIncidentStore Store { get; }

    public void Dispose() => _data.Dispose();
}

public sealed class SqliteSharedStateContract : SharedStateContract, IDisposable
{
    private readonly DataFolder _data = new();

    public SqliteSharedStateContract() => State = new SqliteSharedState(_data.Database);

    protected override ISharedState State { get; }

    public void Dispose() => _data.Dispose();
}
