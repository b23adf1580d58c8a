namespace Runbooks.Notifications;

/// <summary>A name that runbooks use (<c>oncall</c>, <c>platform-lead</c>) and the people or rooms behind it.</summary>
public sealed record Contact(string Name, IReadOnlyList<Recipient> Recipients)
{
    /// <summary>
    /// Null where it is always the same people. A contact with a schedule has no recipients until <see cref="OnCallDirectory"/> has asked.
    /// </summary>
    public OnCallSchedule? Schedule { get; init; }

    /// <summary>The same contact with everybody behind it changed.</summary>
    internal Contact With(Func<Recipient, Recipient> change) => this with
    {
        Recipients = [.. Recipients.Select(change)],
        Schedule = Schedule is { } schedule ? schedule with { Fallback = [.. schedule.Fallback.Select(change)] } : null,
    };
}

/// <param name="Name">Goes into the link, and so into the record of who decided.</param>
/// <param name="Addresses">Tried in this order until one takes the message.</param>
public sealed record Recipient(string Name, IReadOnlyList<Address> Addresses)
{
    /// <summary>Several people read it, so its link does not prove who answered.</summary>
    public bool IsRoom { get; init; }

    /// <summary>The people who may decide for a room; everybody in the book when empty.</summary>
    public IReadOnlyList<string> Members { get; init; } = [];

    /// <summary>The object id of an Entra group. Only a sign-in proves who is in it.</summary>
    public string? GroupId { get; init; }

    /// <summary>What other systems prove of a person, as <see cref="Identity"/> writes it.</summary>
    public IReadOnlyList<string> Identities { get; init; } = [];

    public bool HasObjectId => Identities.Any(Identity.IsObjectId);

    public IReadOnlyList<string> OnCallNames { get; init; } = [];

    /// <summary>A person's mail addresses in the file, by which a schedule may mean them.</summary>
    public IReadOnlyList<string> MailAddresses { get; init; } = [];

    /// <summary>Somebody whom a schedule names and the contacts do not: informed, and never asked.</summary>
    public bool IsStranger { get; init; }

    public string? Why { get; init; }

    /// <summary>Where the contacts file has it, for errors. The name of a group begins with <c>group:</c>.</summary>
    internal string PathInFile
    {
        get
        {
            var key = GroupId is not null ? "groups" : IsRoom ? "rooms" : "people";
            return $"{key}.{Name[(Name.IndexOf(':', StringComparison.Ordinal) + 1)..]}";
        }
    }
}
