namespace Runbooks.Notifications;

/// <summary>Somebody whom a platform has signed in.</summary>
/// <param name="Id">Tenant and object id, as <c>tenant/object</c>: all that a sign-in proves. Names and mail addresses can be changed and given to others.</param>
/// <param name="Name">As people are shown it: the contacts' name where they know the id, else what the platform says, with the object id behind it.</param>
public sealed record SignedInPerson(string Id, string Name)
{
    /// <summary>Object ids of the groups that the platform says they are in.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
}
