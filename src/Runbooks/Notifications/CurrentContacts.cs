namespace Runbooks.Notifications;

/// <summary>The contacts that are in force. Whoever asks takes the book of that moment; a new one replaces it all at once.</summary>
public sealed class CurrentContacts(ContactBook book)
{
    private volatile ContactBook _book = book;

    public ContactBook Book => _book;

    public void Replace(ContactBook book) => _book = book;
}
