namespace Runbooks.Approvals;

/// <content>What the link in a message proves about the person who uses it.</content>
public sealed partial class ApproverRules
{
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
