using Runbooks.SignedLinks;
using Runbooks.Storage;

namespace Runbooks.Web.Decisions;

/// <summary>
/// <c>/decide?token=</c>. GET and HEAD change nothing, since mail scanners open links; only a POST of the page's form decides. The token
/// is the credential.
/// </summary>
public sealed class DecidePageHandler(
    LinkSigner signer,
    IIncidentStore store,
    PinnedRunbooks pinned,
    ApprovalService approvals,
    ApproverRules approvers,
    ClosedGuards guards,
    StormPageHandler storms,
    TimeProvider time,
    HttpRequestRunner runner,
    ILogger<DecidePageHandler> logger)
{
    public Task<IResult> GetAsync(HttpRequest request, string token) => runner.RunAsync(request, async cancellationToken =>
    {
        if (signer.TryRead(token, out var grant))
        {
            return await ShowAsync(request, grant, null, cancellationToken);
        }

        if (!signer.TryReadStorm(token, out var storm))
        {
            return BadLink();
        }

        if (request.Given("one") is { } one)
        {
            return await storms.ShowOneAsync(storm, one, cancellationToken);
        }

        var ticks = StormTicksText.Of(request.Query["tick"]);
        return await storms.ShowAsync(storm, ticks, null, good: true, Actor.Of(request)?.Person, cancellationToken);
    }, Caller.Person);

    public Task<IResult> PostAsync(HttpRequest request, string token) => runner.RunAsync(request, async cancellationToken =>
    {
        var storm = default(StormGrant);
        if (!signer.TryRead(token, out var grant) && !signer.TryReadStorm(token, out storm))
        {
            return BadLink();
        }

        if (!SameOrigin.Allows(request))
        {
            Log.LinkRefused(logger, "posted from another site");
            return MessageResult.Of(
                StatusCodes.Status403Forbidden,
                "Not decided",
                "This was sent from another site. Open the link from your message and decide there.");
        }

        var form = await (storm is null ? FormFields.ReadAsync(request, cancellationToken) : FormFields.ReadListAsync(request, cancellationToken));
        if (form is null || !DecisionVerbText.TryParse(form["decision"], out var verb))
        {
            return MessageResult.Of(
                StatusCodes.Status400BadRequest,
                "Not decided",
                "No decision was sent. Open the link from your message and press one of the buttons.");
        }

        return grant is null
            ? await storms.DecideAsync(storm!, form, verb, Actor.Of(request)?.Person, cancellationToken)
            : await DecideAsync(request, grant, form, verb, cancellationToken);
    }, Caller.Person);

    private async Task<IResult> DecideAsync(
        HttpRequest request, LinkGrant grant, IFormCollection form, DecisionVerb verb, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() >= grant.ExpiresAt)
        {
            Log.LinkRefused(logger, "it has expired");
            return await ShowAsync(request, grant, new(DecisionStatus.AlreadyClosed, "This link has expired."), cancellationToken);
        }

        var person = Actor.Of(request)?.Person;
        var by = person?.Name ?? await TypedNameAsync(grant, form, cancellationToken) ?? grant.Recipient;
        var decision = new DecisionRequest(verb, by, DecisionVia.Link, DecisionVerbText.Reason(form["reason"]), grant.PlanHash)
        {
            LinkOf = grant.Recipient,
            Items = DecisionVerbText.Items(form),
            SignedIn = person,
        };
        var result = (await approvals.DecideAsync(grant.IncidentId, grant.GateId, decision, cancellationToken)).Result;
        return await runner.ShowAsync(
            () => ShowAsync(request, grant, result, cancellationToken), DecisionResponse.StatusOf(result.Status), result.Message);
    }

    /// <returns>Null where the form asks for no name, and where none was typed.</returns>
    private async Task<string?> TypedNameAsync(LinkGrant grant, IFormCollection form, CancellationToken cancellationToken)
    {
        var gate = (await store.FindAsync(grant.IncidentId, cancellationToken))?.FindGate(grant.GateId);
        var typed = form["by"].ToString();
        var isNamed = gate is not null && approvers.NeedsName(gate, grant.Recipient) && !string.IsNullOrWhiteSpace(typed);
        return isNamed ? TypedText.Name(typed) : null;
    }

    private async Task<IResult> ShowAsync(HttpRequest request, LinkGrant grant, DecisionResult? result, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(grant.IncidentId, cancellationToken) is not { } incident || incident.FindGate(grant.GateId) is not { } gate)
        {
            return MessageResult.Of(
                StatusCodes.Status404NotFound, "No longer kept", "The record of this incident is no longer kept. Nothing was decided.");
        }

        var now = time.GetUtcNow();
        var status = result is null ? StatusCodes.Status200OK : DecisionResponse.StatusOf(result.Status);
        if (now >= grant.ExpiresAt)
        {
            // An expired link says how the question ended and shows nothing else.
            return MessageResult.Of(status, "This link has expired", GateText.Late(gate, now));
        }

        var person = Actor.Of(request)?.Person;
        var isOpen = gate.Outcome == GateOutcome.Pending;

        // A closed question does not depend on who is on call now, so the on-call system is not asked for it.
        var people = await approvers.ReadAsync(isOpen || result is not null ? gate : null, cancellationToken);
        var needsName = person is null && approvers.NeedsName(gate, grant.Recipient);
        var no = new DecisionRequest(DecisionVerb.Reject, person?.Name ?? grant.Recipient, DecisionVia.Link)
        {
            LinkOf = grant.Recipient,
            SignedIn = person,
        };
        if (!needsName && approvers.WhyNotCounted(gate, no, people) is { } refused)
        {
            // Not even a no would count, so the plan and the findings are not shown.
            return isOpen
                ? MessageResult.Of(DecisionResponse.StatusOf((result ?? refused).Status), "This link is not yours to answer", refused.Message)
                : MessageResult.Of(status, "This question is closed", GateText.Late(gate, now));
        }

        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var model = new ApprovalModel(incident, gate, runbook, person?.Name ?? grant.Recipient, result, now)
        {
            Guards = await guards.FindAsync(incident, gate, cancellationToken),
            WhyNoYes = isOpen ? approvers.WhyNoYes(gate, grant.Recipient, person, people) : null,
            NeedsName = needsName,
        };
        return new PageResult<ApprovalPage>(new { Model = model }, status);
    }

    internal IResult NotSignedIn()
    {
        Log.LinkRefused(logger, "nobody was signed in");
        return MessageResult.Of(
            StatusCodes.Status401Unauthorized,
            "Not decided",
            "You are not signed in, or no longer. Open the link from your message again and decide there.");
    }

    private PageResult<MessagePage> BadLink()
    {
        Log.LinkRefused(logger, "the signature does not fit, or its key is gone");
        return MessageResult.Of(
            StatusCodes.Status404NotFound,
            "This link does not work",
            "It may have been cut off or changed on its way. "
            + "Open it again from the original message, or decide from the newest one. Nothing was decided.");
    }
}
