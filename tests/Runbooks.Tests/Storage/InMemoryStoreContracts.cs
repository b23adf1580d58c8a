using Runbooks.Model.Storage;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Tests.Storage;

/// <summary>The stand-ins that other tests trust keep the same contracts.</summary>
public sealed class InMemoryIncidentStoreContract : IncidentStoreContract
{
    protected override IIncidentStore Store { get; } = new InMemoryIncidentStore();
}

public sealed class InMemoryIncidentListingContract : IncidentListingContract
{
    protected override IIncidentStore Store { get; } = new InMemoryIncidentStore();
}

public sealed class InMemorySharedStateContract : SharedStateContract
{
    protected override ISharedState State { get; } = new InMemorySharedState();
}

public sealed class InMemoryEvidenceStoreContract : EvidenceStoreContract
{
    protected override IEvidenceStore Evidence { get; } = new InMemoryEvidenceStore();
}

public sealed class InMemoryDecisionRaceContract : DecisionRaceContract
{
    protected override IIncidentStore Store { get; } = new InMemoryIncidentStore();
}
