namespace Runbooks.Notifications;

/// <summary>How one person is called by the systems that can prove who somebody is.</summary>
public static class Identity
{
    /// <param name="userId">Slack's own id of the user, <c>U012AB3CD</c>; display names can be changed by anybody.</param>
    public static string Slack(string userId) => $"slack:{userId}";

    /// <param name="name">A user principal name.</param>
    public static string SignIn(string name) => $"signIn:{name}";
}
