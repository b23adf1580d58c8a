using Microsoft.Extensions.Options;
using Runbooks.Incidents;
using Runbooks.Messages;

namespace Runbooks.Approvals;

/// <summary>Makes the link on which one recipient decides one gate.</summary>
public sealed class DecisionLinks(LinkSigner signer, IOptions<PublicAddressOptions> address)
{
    /// <summary>A closed gate's link still opens, to say how it ended; this long after the gate expires.</summary>
    private static readonly TimeSpan Afterlife = TimeSpan.FromDays(1);

    public string For(Incident incident, Gate gate, string recipient) =>
        $"{Root}/decide/{signer.Sign(new LinkGrant(incident.Id, gate.Id, recipient, gate.Plan.Hash, gate.ExpiresAt + Afterlife))}";

    /// <summary>The page of an incident; shows, and cannot decide.</summary>
    public string IncidentPage(string incidentId) => $"{Root}/incidents/{Uri.EscapeDataString(incidentId)}";

    private string Root => address.Value.PublicUrl.TrimEnd('/');
}
