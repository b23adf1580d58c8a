namespace Runbooks.Integrations.Azure;

/// <summary>What people have to know of Front Door.</summary>
/// <seealso href="https://learn.microsoft.com/azure/frontdoor/front-door-faq"/>
internal static class FrontDoorText
{
    /// <summary>When a change that Azure has made is felt; a sentence that begins with a blank.</summary>
    public const string Delay = " Front Door takes some minutes, at times twenty, until a change is in force everywhere.";
}
