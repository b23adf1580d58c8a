namespace Runbooks.Approvals;

/// <summary>
/// Who may decide a gate: a person behind a contact that was asked, or a signed-in member of a group that was asked, as far as the
/// channel proves who it is. Behind a schedule are the people who were asked then, and those on call at the moment of the decision.
/// </summary>
public sealed class ApproverRules(CurrentContacts contacts, OnCallDirectory directory)
{
    public async Task<ContactBook> ReadAsync(Gate? gate, CancellationToken cancellationToken) =>
        gate is null ? contacts.Book : (await directory.ResolveAsync(gate.Approvers, cancellationToken)).Book;

    /// <summary>A person in the gate's contacts, by name or identity.</summary>
    private bool IsPerson(string name, Gate gate)
    {
        var book = contacts.Book;
        return book.KnowsEveryone || (Find(name) is { } person && book.Knows(person, gate.Approvers));
    }

    /// <summary>So that one person under two names is still one.</summary>
    public string NameOf(string person) => Find(person)?.Name ?? person;

    /// <summary>A person who signed in is known only by what the sign-in proves: a display name may be anybody's.</summary>
    public string NameOf(DecisionRequest request) =>
        request.SignedIn is not { } person ? NameOf(request.Person)
        : contacts.Book.FindSignedIn(person) is { } known ? known.Name
        : Find(person.Name) is null ? person.Name
        : $"{person.Name} ({person.Id})";

    /// <summary>Whether the person is behind this contact, as far as that is proven.</summary>
    /// <param name="now">From <see cref="ReadAsync"/>.</param>
    public bool IsOf(string contact, Gate gate, DecisionRequest request, ContactBook now) =>
        now.KnowsEveryone || Includes(WithAsked(gate, now), [contact], request);

    public IReadOnlyList<string> ByShiftOrGroup(Gate gate, DecisionRequest request, ContactBook now)
    {
        var book = WithAsked(gate, now);
        return [.. gate.Approvers.Where(name => IsByShift(name) || IsByGroup(name))];

        bool IsByShift(string name) => IsSchedule(name, book) && Includes(book, [name], request);

        bool IsByGroup(string name) => request.SignedIn is { } person && book.IncludesGroupOf([name], person);
    }

    /// <summary>Whether a message about this gate went to this recipient, or would now.</summary>
    /// <inheritdoc cref="IsOf"/>
    public static bool IsAsked(Gate gate, string recipient, ContactBook now) =>
        now.KnowsEveryone
        || WithAsked(gate, now)
            .RecipientsOf(gate.Approvers)
            .Any(asked => !asked.IsStranger && ContactBook.IsSameName(asked.Name, recipient));

    /// <summary>For the page, before a yes is given; null where it would count.</summary>
    /// <param name="recipient">Of the link that opened the page; null where there was none.</param>
    /// <param name="signedIn">Null where nobody signs in.</param>
    /// <inheritdoc cref="IsOf"/>
    public string? WhyNoYes(Gate gate, string? recipient, SignedInPerson? signedIn, ContactBook now)
    {
        var request = new DecisionRequest(DecisionVerb.Approve, signedIn?.Name ?? recipient!, DecisionVia.Link)
        {
            LinkOf = recipient,
            SignedIn = signedIn,
        };
        return GateText.WhyNoYes(gate, NameOf(request)) ?? (gate.Task is not null ? null : WhyNotCounted(gate, request, now)?.Message);
    }

    public DecisionResult? WhyNotCounted(Gate gate, DecisionRequest request, ContactBook now)
    {
        var book = WithAsked(gate, now);
        if (book.KnowsEveryone)
        {
            return null;
        }

        if (book.Names.Count == 0)
        {
            return Refused("There are no contacts, so nobody may decide. Add contacts.yaml; docs/contacts.md says how.");
        }

        var objection = request.LinkOf is not { } recipient ? WhyNotCounted(book, gate.Approvers, request)
            : book.FindRoom(gate.Approvers, recipient) is { } room ? WhyNotCounted(book, gate, request, room)
            : WhyNotCounted(book, gate, request, recipient);
        return objection ?? (request.Verb == DecisionVerb.Approve ? WhyPerhapsTheSame(gate, request, book) : null);
    }

    /// <summary>
    /// A signed-in person whom the contacts do not know, as a member of a group may be, could be any person in the contacts without an
    /// object id. Where two people have to approve, these two do not count as two.
    /// </summary>
    private DecisionResult? WhyPerhapsTheSame(Gate gate, DecisionRequest request, ContactBook book)
    {
        IEnumerable<(string Person, string? Identity)> others = gate.Required > 1
            ? gate.Decisions
                .Where(decision => decision.Verb == DecisionVerb.Approve)
                .Select(decision => (decision.Person, decision.Identity))
            : gate.Starter is { } starter ? [(starter, null)] : [];
        var (person, identity) = (NameOf(request), request.SignedIn?.Id);
        foreach (var other in others)
        {
            var doubtful = IsUnknown(other.Identity) ? Unproven(person, identity)
                : IsUnknown(identity) ? Unproven(other.Person, other.Identity)
                : null;
            if (doubtful is not null)
            {
                var didWhat = gate.Required > 1 ? "has approved" : "started it";
                return Refused(
                    $"{person} and {other.Person}, who {didWhat}, may be one person: "
                    + $"the contacts have no object id of {doubtful.Name}, so nobody can tell."
                    + $" Somebody else has to approve, or {doubtful.Name} gets an object id ('signIn') in the contacts.");
            }
        }

        return null;

        bool IsUnknown(string? id) => id is not null && book.FindPerson(Identity.SignIn(id)) is null;

        Recipient? Unproven(string name, string? id) =>
            id is null && book.FindPerson(name) is { HasObjectId: false } unproven ? unproven : null;
    }

    /// <summary>
    /// What an approval is worth by now: whether the person may still decide, and is still in the team that owns the runbook. A shift may
    /// have ended, and only signing in proves membership of a group: an approval by one of these counts on while the contacts know the
    /// person or ask the group. That does not save an approval that counted for another reason.
    /// </summary>
    /// <param name="now">From <see cref="ReadAsync"/>.</param>
    public static Decision? AsOfNow(Gate gate, Decision approval, ContactBook now)
    {
        var book = WithAsked(gate, now);
        return book.KnowsEveryone ? approval
            : book.FindRoom(gate.Approvers, approval.Person) is null && !IsStillBehind(gate.Approvers, approval, book) ? null
            : approval.OfOwner && !IsStillBehind([gate.OwnerTeam!], approval, book) ? approval with { OfOwner = false }
            : approval;
    }

    private static bool IsStillBehind(IReadOnlyList<string> names, Decision approval, ContactBook book)
    {
        var byShiftOrGroup = names
            .Where(name => approval.ByShiftOrGroup?.Contains(name, StringComparer.OrdinalIgnoreCase) != false)
            .ToList();
        return (approval.Identity is not null && HasGroup(byShiftOrGroup, book))
            || (book.FindPerson(approval.Person) is not null
                && (book.Includes(names, approval.Person) || byShiftOrGroup.Exists(name => IsSchedule(name, book))));
    }

    private static bool HasGroup(IEnumerable<string> names, ContactBook book) =>
        book.RecipientsOf(names).Any(recipient => recipient.GroupId is not null);

    private static bool IsSchedule(string name, ContactBook book) => book.TryFind(name, out var contact) && contact.Schedule is not null;

    /// <returns>Why the approvals no longer suffice; null when they do, or where nobody had to approve.</returns>
    public async Task<string?> FindLostAsync(Gate gate, CancellationToken cancellationToken)
    {
        if (gate.Decisions.Count == 0)
        {
            return null;
        }

        var now = await ReadAsync(gate, cancellationToken);
        var approvals = gate.Decisions.Where(decision => decision.Verb == DecisionVerb.Approve).Select(AsOfNow).OfType<Decision>();
        return gate.IsCarriedBy([.. approvals]) ? null : Incident.LostText(gate, AsOfNow);

        Decision? AsOfNow(Decision approval) => ApproverRules.AsOfNow(gate, approval, now);
    }

    /// <summary>
    /// Where the starter may not be the only approver and the contacts do not know the starter, two people have to approve: then at least
    /// one of them is somebody else.
    /// </summary>
    public Gate Separate(Gate gate, string? startedBy)
    {
        if (gate is not { Outcome: GateOutcome.Pending, SeparationOfDuties: true, Required: 1 } || startedBy is null)
        {
            return gate;
        }

        if (IsPerson(startedBy, gate))
        {
            return gate with { Starter = NameOf(startedBy) };
        }

        var warning = $"It was started by {startedBy}, and that is not a person in the contacts. "
            + "Whoever started it may not be the only one to approve, so two people have to approve.";
        return gate with { Required = 2, Warnings = [.. gate.Warnings, warning] };
    }

    /// <summary>A person who was asked may still answer when the shift has ended.</summary>
    private static ContactBook WithAsked(Gate gate, ContactBook now)
    {
        return now.With(gate.OnCall
            .GroupBy(record => record.Contact, StringComparer.OrdinalIgnoreCase)
            .Select(WithPeople)
            .OfType<Contact>());

        Contact? WithPeople(IGrouping<string, OnCallRecord> asked)
        {
            if (!now.TryFind(asked.Key, out var contact) || contact.Schedule is null)
            {
                return null;
            }

            var people = asked
                .SelectMany(record => record.People)
                .Select(name => now.FindRecipient(name, asked.Key))
                .OfType<Recipient>();
            return contact with { Recipients = [.. contact.Recipients.Concat(people).DistinctBy(recipient => recipient.Name)] };
        }
    }

    private DecisionResult? WhyNotCounted(ContactBook book, IReadOnlyList<string> asked, DecisionRequest request)
    {
        if (Includes(book, asked, request))
        {
            return null;
        }

        var isKnown = request.SignedIn is { } person ? book.FindSignedIn(person) is not null : Find(request.Person) is not null;
        var groups = HasGroup(asked, book);
        return Refused(
            $"{request.Person} is not among those who were asked: {string.Join(", ", asked)}."
            + (isKnown ? "" : " It has to be a person named in the contacts.")
            + (groups && request.SignedIn is null ? " Only signing in shows who is in a group: sign in and decide on the page." : ""));
    }

    private bool Includes(ContactBook book, IReadOnlyList<string> asked, DecisionRequest request)
    {
        var name = NameOf(request);
        return (book.FindPerson(name) is not null && book.Includes(asked, name))
            || (request.SignedIn is { } person && book.IncludesGroupOf(asked, person));
    }

    private Recipient? Find(string name) => contacts.Book.FindPerson(name) ?? contacts.Book.FindPerson(Identity.SignIn(name));

    private static DecisionResult Refused(string why) => new(DecisionStatus.NotAllowed, why);

    /// <summary>Work by hand is reported by a person, but a room's link does not say who it is.</summary>
    public bool NeedsName(Gate gate, string recipient) =>
        gate.Task is not null
        && !contacts.Book.KnowsEveryone
        && WithAsked(gate, contacts.Book).FindRoom(gate.Approvers, recipient) is { GroupId: null };

    /// <summary>A link for one person counts as theirs as long as they may decide.</summary>
    private DecisionResult? WhyNotCounted(ContactBook book, Gate gate, DecisionRequest request, string recipient)
    {
        if (request.SignedIn is not null && !ContactBook.IsSameName(NameOf(request), NameOf(recipient)))
        {
            return NotTheirs(request, recipient);
        }

        return WhyNotCounted(book, gate.Approvers, new DecisionRequest(request.Verb, recipient, request.Via)) is null
            ? null
            : Refused($"This link was sent to {recipient}, who may not decide this any more.");
    }

    /// <summary>A link for a room or a group does not prove who uses it.</summary>
    private DecisionResult? WhyNotCounted(ContactBook book, Gate gate, DecisionRequest request, Recipient room)
    {
        if (request.SignedIn is { } person)
        {
            var isInRoom = book.IsMember(room, NameOf(request)) || ContactBook.IsInGroup(room, person);
            return isInRoom ? null : NotTheirs(request, room.Name);
        }

        // A typed name proves no more than the link does, but the record then names somebody who can be asked.
        if (gate.Task is not null && room.GroupId is null)
        {
            if (book.IsMember(room, NameOf(request)))
            {
                return null;
            }

            return Refused(request.Person == room.Name
                ? $"This link was sent to {room.Name}. Type your name: what is done by hand is said by a person."
                : $"{request.Person} is not one of the people in {room.Name}.");
        }

        return (request.Verb, room.GroupId) switch
        {
            (DecisionVerb.Approve, not null) => Refused(
                $"This link was sent to {room.Name}, and only signing in shows who is in that group. "
                + "Nobody signs in here, so it cannot approve."),
            (DecisionVerb.Approve, null) when gate.CountsPeople => Refused(
                $"This link was sent to {room.Name} and does not show who you are, but this approval has to count people. "
                + "Decide from a message of your own, or from a Slack button where the message has one."),
            _ => null,
        };
    }

    private static DecisionResult NotTheirs(DecisionRequest request, string recipient) =>
        Refused($"This link was sent to {recipient}, and you are signed in as {request.Person}. Decide from a message of your own.");
}

/// <summary>An approver may have been taken out of the contacts while the step waited. What has begun may finish.</summary>
public sealed class ApproversGuardrail(ApproverRules approvers) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        question is { AboutToRun: true, Gate: { Outcome: GateOutcome.Approved } gate } && !question.Incident.HasActedOn(gate)
        && await approvers.FindLostAsync(gate, cancellationToken) is { } lost
            ? new(GuardrailNames.Approvers, lost, GuardrailSeverity.AskFirst)
            : null;
}
