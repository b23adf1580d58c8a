using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Approvals;

/// <summary>Who may decide a gate: whoever was asked, as far as the way the decision came proves who it is.</summary>
public sealed class ApproverRules(CurrentContacts contacts)
{
    /// <summary>The book's name for a person, so that one person under two names is still one.</summary>
    public string NameOf(string person) => (contacts.Book.FindPerson(person) ?? contacts.Book.FindPerson(Identity.SignIn(person)))?.Name ?? person;

    /// <summary>As above. Whoever signed in is known by what the sign-in proves and by nothing else: a display name may be anybody's.</summary>
    public string NameOf(DecisionRequest request) =>
        !request.SignedIn ? NameOf(request.Person) : contacts.Book.FindPerson(Identity.SignIn(request.Person))?.Name ?? Identity.SignIn(request.Person);

    /// <summary>Why this decision may not count; null when it may.</summary>
    public DecisionResult? FindRefusal(Gate gate, DecisionRequest request)
    {
        var (book, person) = (contacts.Book, NameOf(request));
        if (request.LinkOf is not { } recipient)
        {
            return book.Includes(gate.Approvers, person)
                ? null
                : Refused($"{request.Person} is not among those who were asked: {string.Join(", ", gate.Approvers)}.");
        }

        var room = book.FindRoom(recipient);
        if (!request.SignedIn)
        {
            // The link was made for this gate and this recipient; a room's proves nobody in particular.
            return room is not null && request.Verb == DecisionVerb.Approve && (gate.Required > 1 || gate.SeparationOfDuties)
                ? Refused($"This link was sent to {recipient} and does not show who you are, but this approval has to count people. Decide from a message of your own, or from a Slack button.")
                : null;
        }

        var allowed = book.KnowsEveryone || (room is null ? Same(person, recipient) : book.IsMember(room, person));
        return allowed ? null : Refused($"This link was sent to {recipient}, and you are signed in as {request.Person}. Decide from a message of your own.");
    }

    private static DecisionResult Refused(string why) => new(DecisionStatus.NotAllowed, why);

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
