using Runbooks.Model.Storage;
using TestKit;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.AzureStorage.Tests;

public sealed class TableIncidentStoreContract(Azurite azurite) : IncidentStoreContract
{
    private readonly Hosts<IIncidentStore> _hosts = new(new AzureAccount(azurite), account => account.Incidents());

    protected override IIncidentStore Store => _hosts.Next;

    protected override int Crowd => 60;
}

public sealed class TableIncidentListingContract(Azurite azurite) : IncidentListingContract
{
    private readonly Hosts<IIncidentStore> _hosts = new(new AzureAccount(azurite), account => account.Incidents());

    protected override IIncidentStore Store => _hosts.Next;
}

public sealed class TableDecisionRaceContract(Azurite azurite) : DecisionRaceContract
{
    private readonly Hosts<IIncidentStore> _hosts = new(new AzureAccount(azurite), account => account.Incidents());

    protected override IIncidentStore Store => _hosts.Next;
}

public sealed class TableSharedStateContract(Azurite azurite) : SharedStateContract
{
    private readonly Hosts<ISharedState> _hosts = new(new AzureAccount(azurite), account => account.State());

    protected override ISharedState State => _hosts.Next;

    protected override int Crowd => 60;
}

public sealed class BlobEvidenceStoreContract(Azurite azurite) : EvidenceStoreContract
{
    protected override IEvidenceStore Evidence { get; } = new AzureAccount(azurite).Evidence();
}

/// <summary>Three hosts on one account, in turn: what one holds in memory must never matter to the others.</summary>
internal sealed class Hosts<T>(AzureAccount account, Func<AzureAccount, T> create)
{
    private readonly T[] _hosts = [create(account), create(account), create(account)];
    private int _turn;

    public T Next => _hosts[(uint)Interlocked.Increment(ref _turn) % _hosts.Length];
}
